/** What the state tree costs at size: printed, and held to wide bounds so that a slower machine does not fail. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { below, rng } from '../../consensus/rng.ts';
import { proveState, stateProof, verifyStateProof } from '../../ledger/state/proof.ts';
import { type Tree, treeFrom, treeRoot, treeSize, update } from '../../ledger/state/tree.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { encode } from '../../ledger/types/codec.ts';

const keyOf = (i: number): string => `tokens/balance/QRT/qr1${i.toString(16).padStart(61, '0')}`;

function numbered(i: number): Bytes {
  const value = new Uint8Array(40);
  new DataView(value.buffer).setUint32(0, i);
  return value;
}

function* entries(count: number): Generator<[string, Bytes]> {
  for (let i = 0; i < count; i++) yield [keyOf(i), numbered(i)];
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heap(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function blockTimes(tree: Tree, count: number): number[] {
  const random = rng(7n);
  let version = tree;
  return Array.from({ length: 40 }, () => {
    const writes = new Map<string, Bytes>();
    while (writes.size < 1000) writes.set(keyOf(below(random, count)), numbered(below(random, 1_000_000)));
    const start = process.threadCpuUsage().user;
    version = update(version, writes);
    return (process.threadCpuUsage().user - start) / 1000;
  }).sort((a, b) => a - b);
}

describe.each([100_000, 1_000_000])('a state of %i keys', count => {
  test('updates fast, and proves any key in 4 KB', () => {
    const before = heap();
    const start = process.threadCpuUsage().user;
    const tree = treeFrom(entries(count));
    const buildMs = (process.threadCpuUsage().user - start) / 1000;
    const keyBytes = (heap() - before) / count;
    expect(treeSize(tree)).toBe(count);
    const times = blockTimes(tree, count);
    const root = treeRoot(tree);
    const sizes: number[] = [];
    for (let i = 0; i < 4000; i++) {
      const present = i % 2 === 0;
      const key = present ? keyOf(i) : `none/${i}`;
      const proof = proveState(tree, key);
      expect(verifyStateProof(root, key, present ? numbered(i) : null, proof)).toBe(true);
      sizes.push(encode(stateProof, proof).length);
    }
    sizes.sort((a, b) => a - b);
    process.stdout.write(
      `${count} keys: built in ${Math.round(buildMs)} ms of processor time, ${Math.round(keyBytes)} bytes a key, ` +
        `${times[20]!.toFixed(1)} us an updated key in blocks of 1,000 (least ${times[0]!.toFixed(1)}), ` +
        `proofs of ${sizes[2000]} bytes, at most ${sizes.at(-1)}\n`,
    );
    expect(sizes.at(-1)).toBeLessThanOrEqual(4096);
    expect(times[0]).toBeLessThan(40);
  });
});
