import { describe, expect, test } from 'vitest';
import { putRequest } from '../../bench/etcd.ts';
import { longestGap, missing } from '../../bench/fault.ts';
import { parseMetrics } from '../../bench/node-metrics.ts';
import { p99ByMinute } from '../../bench/soak.ts';
import { slope } from '../../bench/statistics.ts';

test('a slope is that of the line nearest to all points', () => {
  expect(slope([])).toBe(0);
  expect(slope([[3, 9]])).toBe(0);
  expect(
    slope([
      [0, 1],
      [1, 4],
      [2, 4],
      [3, 7],
    ]),
  ).toBeCloseTo(1.8);
});

test('metrics are summed over the series that bear the labels asked for', () => {
  const metrics = parseMetrics('# HELP a b\na{kind="x",code="say \\"no\\""} 1.5\na{kind="y"} 2\nab 9\nc 1e3\nd Nan\n');
  expect(metrics.total('a')).toBe(3.5);
  expect(metrics.total('a', { kind: 'x' })).toBe(1.5);
  expect(metrics.total('a', { kind: 'z' })).toBeNull();
  expect(metrics.total('c')).toBe(1_000);
  expect(metrics.total('b')).toBeNull();
});

describe('after a fault', () => {
  const block = (height: number, ...transactions: string[]) => ({ height, id: `b${height}`, transactions });

  test('an acknowledged transaction is missing that one node does not have, or has elsewhere', () => {
    const acknowledged = new Map([
      ['a', 1],
      ['b', 2],
    ]);
    const whole = [block(1, 'a'), block(2, 'b', 'c')];
    expect(missing(acknowledged, [whole, whole])).toEqual([]);
    expect(missing(acknowledged, [whole, [block(1, 'a'), block(2)]])).toEqual(['b']);
    expect(missing(acknowledged, [whole, [block(1), block(2, 'a', 'b')]])).toEqual(['a']);
  });

  test('the longest gap is that between neighbours, also where it began before', () => {
    expect(longestGap([0, 10, 500, 520], 100)).toBe(490);
    expect(longestGap([0, 10, 500, 520], 510)).toBe(20);
    expect(longestGap([5], 0)).toBe(0);
  });
});

test('what follows the last whole minute of a long run is counted with it', () => {
  const sample = (atMs: number, ms: number) => ({ id: 'a', height: 1, atMs, ms });
  const samples = [sample(0, 5), sample(59_999, 9), sample(60_000, 20), sample(120_001, 30)];
  expect(p99ByMinute(samples, 120_000)).toEqual([9, 30]);
  expect(p99ByMinute(samples.slice(0, 2), 45_000)).toEqual([9]);
});

test('a put is one gRPC message of key and value', () => {
  const [key, value] = [Buffer.from('k1'), Buffer.alloc(256, 'v')];
  const head = [0, 0, 0, 1, 7, 0x0a, 2, 0x6b, 0x31, 0x12, 0x80, 0x02];
  expect(putRequest(key, value)).toEqual(Buffer.concat([Buffer.from(head), value]));
});
