import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetrics, type Gauges } from '../../node/metrics.ts';
import { type MetricsServer, startMetricsServer } from '../../node/metrics-server.ts';

/** What dashboards and alerts rely on. */
const NAMES = [
  'quorate_consensus_height',
  'quorate_consensus_view',
  'quorate_consensus_rounds_total',
  'quorate_consensus_round_duration_seconds',
  'quorate_consensus_block_interval_seconds',
  'quorate_consensus_missing_validators',
  'quorate_consensus_equivocations_total',
  'quorate_mempool_transactions',
  'quorate_mempool_bytes',
  'quorate_mempool_rejected_total',
  'quorate_verification_workers',
  'quorate_verification_waiting_signatures',
  'quorate_network_peers',
  'quorate_network_bytes_sent_total',
  'quorate_network_bytes_received_total',
  'quorate_network_messages_dropped_total',
  'quorate_ledger_transactions_total',
  'quorate_ledger_block_seconds',
  'quorate_ledger_state_keys',
  'quorate_ledger_state_memory_bytes',
  'quorate_ledger_state_pages',
  'quorate_ledger_state_disk_bytes',
  'quorate_ledger_state_page_reads_total',
  'quorate_rpc_requests_total',
  'quorate_rpc_request_seconds',
  'quorate_sync_syncing',
  'quorate_sync_blocks_behind',
];

const gauges: Gauges = {
  height: 7,
  view: 2,
  roundsTotal: 9,
  missingValidators: 1,
  equivocationsTotal: 3,
  poolTransactions: 40,
  poolBytes: 12_000,
  verificationWorkers: 2,
  signaturesWaiting: 30,
  peers: 3,
  bytesSentTotal: 1_000,
  bytesReceivedTotal: 2_000,
  messagesDroppedTotal: 3,
  stateKeys: 500,
  stateBytes: 50_000,
  statePages: 3,
  stateDiskBytes: 70_000,
  statePageReadsTotal: 4,
  syncing: true,
  blocksBehind: 6,
};

const value = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find(each => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};

describe('the metrics', () => {
  it('have exactly the names that dashboards rely on, and those of Node', async () => {
    const text = await createMetrics(() => gauges).text();
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(match => match[1]!);
    expect(names.filter(name => name.startsWith('quorate_')).sort()).toEqual([...NAMES].sort());
    expect(names).toContain('process_resident_memory_bytes');
    expect(names).toContain('nodejs_eventloop_lag_seconds');
  });

  it('are what the node says when they are read', async () => {
    let now = gauges;
    const metrics = createMetrics(() => now);
    const first = await metrics.text();
    expect(value(first, 'quorate_consensus_height')).toBe(7);
    expect(value(first, 'quorate_sync_syncing')).toBe(1);
    expect(value(first, 'quorate_network_bytes_sent_total')).toBe(1_000);
    now = { ...gauges, height: 8, syncing: false, bytesSentTotal: 1_500 };
    const second = await metrics.text();
    expect(value(second, 'quorate_consensus_height')).toBe(8);
    expect(value(second, 'quorate_sync_syncing')).toBe(0);
    expect(value(second, 'quorate_network_bytes_sent_total')).toBe(1_500);
  });

  it('count blocks, refusals and calls', async () => {
    const metrics = createMetrics(() => gauges);
    metrics.finalised({ transactions: 5, intervalMs: null, roundMs: null, blockMs: 3 });
    metrics.finalised({ transactions: 2, intervalMs: 1_500, roundMs: 40, blockMs: 3 });
    metrics.rejected('EXPIRED', 3);
    metrics.called('tx_submit', null, 4);
    metrics.called('tx_submit', 'EXPIRED', 4);
    const text = await metrics.text();
    expect(value(text, 'quorate_ledger_transactions_total')).toBe(7);
    expect(value(text, 'quorate_ledger_block_seconds_count')).toBe(2);
    expect(value(text, 'quorate_consensus_block_interval_seconds_sum')).toBe(1.5);
    expect(value(text, 'quorate_consensus_round_duration_seconds_bucket{le="0.05"}')).toBe(1);
    expect(value(text, 'quorate_mempool_rejected_total{code="EXPIRED"}')).toBe(3);
    expect(value(text, 'quorate_rpc_requests_total{method="tx_submit",code="ok"}')).toBe(1);
    expect(value(text, 'quorate_rpc_request_seconds_count{method="tx_submit"}')).toBe(2);
  });

  it('stay bounded whatever clients call', async () => {
    const metrics = createMetrics(() => gauges);
    for (let i = 0; i < 5_000; i++) metrics.called(`made_up${i}`, `CODE_${i}`, 1);
    const text = await metrics.text();
    expect(text.split('\n').filter(line => line.startsWith('quorate_rpc_requests_total')).length).toBeLessThan(500);
    expect(value(text, 'quorate_rpc_requests_total{method="other",code="other"}')).toBe(4_800);
  });
});

describe('the metrics server', () => {
  let server: MetricsServer | null = null;
  afterEach(() => server?.close());

  it('serves /metrics and nothing else', async () => {
    server = await startMetricsServer(
      createMetrics(() => gauges),
      { host: '127.0.0.1', port: 0 },
    );
    const answer = await fetch(`${server.url}/metrics?x=1`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(await answer.text()).toContain('quorate_consensus_height 7\n');
    expect((await fetch(`${server.url}/`)).status).toBe(404);
    expect((await fetch(`${server.url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405);
  });

  it('says which key to change when its port is taken', async () => {
    const metrics = createMetrics(() => gauges);
    server = await startMetricsServer(metrics, { host: '127.0.0.1', port: 0 });
    const port = Number(new URL(server.url).port);
    await expect(startMetricsServer(metrics, { host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      data: { key: 'metrics.listen' },
    });
  });

  it('answers no 200 for what could not be collected, and closes in spite of idle connections', async () => {
    const broken = { text: () => Promise.reject(new Error('no')), contentType: 'text/plain' };
    server = await startMetricsServer(broken, { host: '127.0.0.1', port: 0 });
    expect((await fetch(`${server.url}/metrics`)).status).toBe(500);
    const idle = connect(Number(new URL(server.url).port), '127.0.0.1');
    await new Promise(resolve => idle.once('connect', resolve));
    idle.on('error', () => {});
    await server.close();
    server = null;
    idle.destroy();
  });
});
