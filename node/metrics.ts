/** What Prometheus reads of a node. The names are a contract with dashboards and alerts: added to, never renamed. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What a node knows of itself at any time; read when somebody asks for the metrics. Numbers with "total" never fall. */
export interface Gauges {
  readonly height: number;
  readonly view: number;
  /** Views that ended in a decision or a view change. */
  readonly roundsTotal: number;
  readonly missingValidators: number;
  readonly equivocationsTotal: number;
  readonly poolTransactions: number;
  readonly poolBytes: number;
  /** Threads that verify signatures. */
  readonly verificationWorkers: number;
  /** Signatures without a verdict. */
  readonly signaturesWaiting: number;
  readonly peers: number;
  readonly bytesSentTotal: number;
  readonly bytesReceivedTotal: number;
  readonly messagesDroppedTotal: number;
  readonly stateKeys: number;
  /** Of the state in memory, at most. */
  readonly stateBytes: number;
  /** Parts of it that the disk holds. */
  readonly statePages: number;
  /** What they take there. */
  readonly stateDiskBytes: number;
  readonly statePageReadsTotal: number;
  readonly syncing: boolean;
  readonly blocksBehind: number;
}

export interface FinalTimes {
  readonly transactions: number;
  /** Since the block before became final here; null for the first since the start. */
  readonly intervalMs: number | null;
  /** From the first message or work of its height to its decision; null where it came by block sync. */
  readonly roundMs: number | null;
  /** Executing it and moving the ledger. */
  readonly blockMs: number;
}

export interface Metrics {
  /** A block became final. */
  finalised(times: FinalTimes): void;
  /** A transaction was refused, with its code. */
  rejected(code: string, transactions: number): void;
  /** A call was answered; `code` null: with a result. */
  called(method: string, code: string | null, durationMs: number): void;
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Distinct values of one label: what a client writes may end in one, and each value is a series kept for ever. */
const LABEL_VALUES_MAX = 200;
const SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

/** The value itself, or `other` once there are too many. */
function bounded(): (value: string) => string {
  const known = new Set<string>();
  return value => {
    if (known.has(value)) return value;
    if (known.size >= LABEL_VALUES_MAX) return 'other';
    known.add(value);
    return value;
  };
}

export function createMetrics(read: () => Gauges): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  function gauge(name: string, help: string, value: (now: Gauges) => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value(read()));
      },
    });
  }

  /** A count that somebody else keeps. */
  function total(name: string, help: string, value: (now: Gauges) => number): void {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(value(read()));
      },
    });
  }

  const histogram = (name: string, help: string): Histogram =>
    new Histogram({ name, help, registers, buckets: SECONDS });

  gauge('quorate_consensus_height', 'Height that is being decided', now => now.height);
  gauge('quorate_consensus_view', 'View, round, term or ballot within the height', now => now.view);
  total('quorate_consensus_rounds_total', 'Views that ended, decided or not', now => now.roundsTotal);
  gauge('quorate_consensus_missing_validators', 'Validators not heard from lately', now => now.missingValidators);
  total('quorate_consensus_equivocations_total', 'Contradicting statements seen', now => now.equivocationsTotal);
  gauge('quorate_mempool_transactions', 'Transactions that wait', now => now.poolTransactions);
  gauge('quorate_mempool_bytes', 'Their size in bytes', now => now.poolBytes);
  gauge(
    'quorate_verification_workers',
    'Threads that verify what clients signed; 0: the main thread does',
    now => now.verificationWorkers,
  );
  gauge('quorate_verification_waiting_signatures', 'Signatures without a verdict', now => now.signaturesWaiting);
  gauge('quorate_network_peers', 'Connected nodes', now => now.peers);
  total('quorate_network_bytes_sent_total', 'Bytes sent to peers', now => now.bytesSentTotal);
  total('quorate_network_bytes_received_total', 'Bytes received from peers', now => now.bytesReceivedTotal);
  total(
    'quorate_network_messages_dropped_total',
    'Messages that a peer did not take in time',
    now => now.messagesDroppedTotal,
  );
  gauge('quorate_ledger_state_keys', 'Keys in the final state', now => now.stateKeys);
  gauge('quorate_ledger_state_memory_bytes', 'Memory that the final state takes, at most', now => now.stateBytes);
  gauge('quorate_ledger_state_pages', 'Parts of the state that are put away to the disk', now => now.statePages);
  gauge('quorate_ledger_state_disk_bytes', 'Disk that they take, in a file without a name', now => now.stateDiskBytes);
  total(
    'quorate_ledger_state_page_reads_total',
    'Parts of the state read from the disk',
    now => now.statePageReadsTotal,
  );
  gauge('quorate_sync_syncing', '1 while blocks are brought from peers', now => (now.syncing ? 1 : 0));
  gauge('quorate_sync_blocks_behind', 'Blocks known to be final and not here', now => now.blocksBehind);

  const round = histogram(
    'quorate_consensus_round_duration_seconds',
    'From the first sign of a height to its decision',
  );
  const interval = histogram('quorate_consensus_block_interval_seconds', 'Between two final blocks');
  const block = histogram('quorate_ledger_block_seconds', 'Executing a block and moving the ledger');
  const transactions = new Counter({
    name: 'quorate_ledger_transactions_total',
    help: 'Transactions recorded since the start',
    registers,
  });
  const rejected = new Counter({
    name: 'quorate_mempool_rejected_total',
    help: 'Transactions refused, by code',
    labelNames: ['code'],
    registers,
  });
  const requests = new Counter({
    name: 'quorate_rpc_requests_total',
    help: 'Calls answered, by method and code (ok: a result)',
    labelNames: ['method', 'code'],
    registers,
  });
  const seconds = new Histogram({
    name: 'quorate_rpc_request_seconds',
    help: 'Time to answer a call, by method',
    labelNames: ['method'],
    buckets: SECONDS,
    registers,
  });
  const [rejectedCode, method, code] = [bounded(), bounded(), bounded()];

  return {
    finalised(times) {
      transactions.inc(times.transactions);
      block.observe(times.blockMs / 1_000);
      if (times.intervalMs !== null) interval.observe(times.intervalMs / 1_000);
      if (times.roundMs !== null) round.observe(times.roundMs / 1_000);
    },
    rejected: (value, transactions) => rejected.inc({ code: rejectedCode(value) }, transactions),
    called(name, outcome, durationMs) {
      const known = method(name);
      requests.inc({ method: known, code: outcome === null ? 'ok' : code(outcome) });
      seconds.observe({ method: known }, durationMs / 1_000);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
