/** What a node says of itself to Prometheus. */
import { join } from 'node:path';
import { loadConfig } from '../../node/config.ts';
import { rounded } from './result.ts';

export interface NodeMetrics {
  /** The sum of all series of this name that bear these labels, whatever others they bear; null: there is none. */
  total(name: string, labels?: Readonly<Record<string, string>>): number | null;
}

/**
 * Asks the node of `home`. What Node says of its event loop is since the question before, and a question is asked anew each time:
 * whoever wants the figures of a run asks at its beginning and at its end.
 */
async function readMetrics(home: string): Promise<NodeMetrics> {
  const { host, port } = loadConfig(join(home, 'config.toml'), process.env).metrics.listen;
  const answer = await fetch(`http://${host}:${port}/metrics`);
  if (!answer.ok) throw new Error(`the metrics of ${home} answer ${answer.status}`);
  return parseMetrics(await answer.text());
}

export const allMetrics = (nodes: readonly { readonly home: string }[]): Promise<NodeMetrics[]> =>
  Promise.all(nodes.map(({ home }) => readMetrics(home)));

/** What became of each node between two questions; null: it does not tell. */
export function between(before: readonly NodeMetrics[], after: readonly NodeMetrics[], seconds: number) {
  const grown = (name: string) =>
    after.map((each, i) => {
      const now = each.total(name);
      return now === null ? null : now - (before[i]!.total(name) ?? 0);
    });
  const share = (value: number | null) => (value === null ? null : rounded(value / seconds, 3));
  const mean = (histogram: string) => {
    const [sums, counts] = [grown(`${histogram}_sum`), grown(`${histogram}_count`)];
    return sums.map((sum, i) => rounded(((sum ?? 0) * 1_000) / (counts[i] ?? 0)));
  };
  const ms = (name: string) => after.map(each => rounded((each.total(name) ?? Number.NaN) * 1_000));
  return {
    eventLoopDelayP99Ms: ms('nodejs_eventloop_lag_p99_seconds'),
    eventLoopDelayMaxMs: ms('nodejs_eventloop_lag_max_seconds'),
    processorShare: grown('process_cpu_seconds_total').map(share),
    collectorShare: grown('nodejs_gc_duration_seconds_sum').map(share),
    roundMsMean: mean('quorate_consensus_round_duration_seconds'),
    executionMsMean: mean('quorate_ledger_block_seconds'),
    bytesSent: grown('quorate_network_bytes_sent_total'),
    consensusMessagesDropped: grown('quorate_network_messages_dropped_total'),
    roundsEnded: grown('quorate_consensus_rounds_total'),
    poolTransactions: after.map(each => each.total('quorate_mempool_transactions')),
  };
}

const SERIES = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export function parseMetrics(text: string): NodeMetrics {
  const series = text.split('\n').flatMap(line => {
    const [, name, labels = '', value] = SERIES.exec(line) ?? [];
    if (name === undefined) return [];
    return [
      { name, value: Number(value), labels: new Map([...labels.matchAll(LABEL)].map(each => [each[1], each[2]])) },
    ];
  });
  return {
    total(name, labels = {}) {
      const wanted = Object.entries(labels);
      const found = series.filter(each => each.name === name && wanted.every(([k, v]) => each.labels.get(k) === v));
      return found.length === 0 ? null : found.reduce((sum, each) => sum + each.value, 0);
    },
  };
}
