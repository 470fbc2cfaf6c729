import { afterEach, describe, expect, it } from 'vitest';
import { blockId } from '../../../ledger/crypto/ids.ts';
import type { Block } from '../../../ledger/types/block.ts';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import { encode } from '../../../ledger/types/codec.ts';
import { err, ok, type Result } from '../../../ledger/types/errors.ts';
import type { Height, PublicKey } from '../../../ledger/types/ids.ts';
import { SYNC_FRAME_TIMEOUT_MS, SYNC_RANGE_BLOCKS_MAX } from '../../../node/limits.ts';
import { certifiedBlock, syncQuestion } from '../../../node/network/certified-block.ts';
import type { RequestFailure } from '../../../node/network/requests.ts';
import { createSyncClient, type SyncClient, type SyncClientOptions } from '../../../node/network/sync-client.ts';
import { answerSync } from '../../../node/network/sync-server.ts';
import { chainOf, identified, sourceOf, ZERO } from './block-chain.ts';
import { eventually, keyOf, startNode, stopAll, wait } from './nodes.ts';

const CHAIN_BLOCKS = chainOf(1_200);
const FORK_BLOCKS = chainOf(1_200, 1);

type Answer = (question: Bytes, signal: AbortSignal) => AsyncIterable<Result<Bytes, RequestFailure>>;

async function* honestly(
  blocks: readonly Block[],
  question: Bytes,
  signal: AbortSignal,
): AsyncGenerator<Result<Bytes, RequestFailure>> {
  for await (const frame of answerSync(sourceOf(blocks), question, signal)) yield ok(frame);
}
const honest =
  (blocks: readonly Block[] = CHAIN_BLOCKS): Answer =>
  (question, signal) =>
    honestly(blocks, question, signal);

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve())));

/** Says nothing until the asker gives up. */
const silent: Answer = async function* (_question, signal) {
  await aborted(signal);
  yield err('REQUEST_ABORTED');
};
const gone: Answer = async function* () {
  yield err('REQUEST_REFUSED');
};
const empty: Answer = async function* () {};
const garbage: Answer = async function* () {
  yield ok(new Uint8Array(100).fill(7));
};
const huge: Answer = async function* () {
  yield err('RESPONSE_TOO_LARGE');
};
/** Delivers some blocks and is gone. */
const vanishing = (after: number): Answer =>
  async function* (question, signal) {
    let sent = 0;
    for await (const frame of honestly(CHAIN_BLOCKS, question, signal)) {
      if (sent++ === after) return yield err('REQUEST_CUT');
      yield frame;
    }
  };
/** Delivers one block in a while, and calls that an answer. */
const sparing: Answer = async function* (question, signal) {
  for await (const frame of honestly(CHAIN_BLOCKS, question, signal)) {
    await wait(100);
    return yield frame;
  }
};
/** Answers with a block of another height than was asked for. */
const shifted: Answer = async function* () {
  yield ok(encode(certifiedBlock, { block: CHAIN_BLOCKS[700]!, certificate: null }));
};
/** Never stops sending. */
const endless: Answer = async function* (question, signal) {
  yield* honestly(CHAIN_BLOCKS, question, signal);
  for (;;) yield ok(encode(certifiedBlock, { block: CHAIN_BLOCKS[1]!, certificate: null }));
};

const running: SyncClient[] = [];
afterEach(async () => {
  for (const sync of running.splice(0)) sync.stop();
  await stopAll();
});

/** No test breaks an invariant. */
const fatal = (error: unknown): never => {
  throw error;
};

/** A ledger at height 0 that takes exactly the blocks of the chain, and peers that answer as told. */
function scene(answers: Record<string, Answer>, options: Partial<SyncClientOptions> = {}) {
  const names = new Map(Object.keys(answers).map(name => [keyOf(name), name]));
  const caught: string[] = [];
  const asked: string[] = [];
  const state = { head: CHAIN_BLOCKS[0]!, applied: 0 };
  const sync = createSyncClient({
    peers: () => [...names.keys()],
    request(node, question, signal) {
      asked.push(names.get(node)!);
      return answers[names.get(node)!]!(question, signal);
    },
    height: () => state.head.header.height,
    async apply({ block: next }) {
      if (next.header.parent !== blockId(state.head.header)) return 'bad';
      state.head = next;
      state.applied += 1;
      return 'ok';
    },
    fatal,
    caught: ({ peer, outcome }) => caught.push(`${names.get(peer)} ${outcome}`),
    ...options,
  });
  running.push(sync);
  const keys = Object.keys(answers).map(keyOf);
  return { sync, state, caught, asked, keys, height: () => state.head.header.height };
}

describe('block sync', () => {
  it('leaves a peer that hands out true blocks one by one for a quicker one', async () => {
    const { sync, height, asked, keys, caught } = scene({ a: sparing, b: honest(), c: sparing });
    for (const key of keys) sync.claim(key, 1_150);
    await eventually('the ledger is there', () => height() === 1_150, 5_000);
    expect(asked.filter(each => each === 'a')).toHaveLength(1);
    expect(asked.filter(each => each === 'c').length).toBeLessThan(2);
    expect(caught).toEqual([]);
  });

  it('brings a ledger to a proven height in ranges', async () => {
    const progress: Height[] = [];
    const { sync, height, asked, keys } = scene({ a: honest() }, { progress: at => progress.push(at.height) });
    sync.to(1_150, keys);
    await eventually('the ledger is there', () => height() === 1_150);
    expect(asked).toHaveLength(Math.ceil(1_150 / SYNC_RANGE_BLOCKS_MAX));
    expect(progress).toEqual(Array.from({ length: 1_150 }, (_, i) => i + 1));
    expect(sync.target).toBeNull();
  });

  const liars: Record<string, Answer> = { garbage, huge, shifted, endless, fork: honest(FORK_BLOCKS) };
  it.each(Object.keys(liars))('catches a peer that answers with %s and finishes from another', async name => {
    const { sync, height, caught, keys } = scene({ [name]: liars[name]!, honest: honest() });
    // The liar is asked first: it alone is said to hold the height.
    sync.to(600, [keys[0]!]);
    await eventually('the ledger is there', () => height() === 600);
    expect(caught).toEqual([`${name} lied`]);
  });

  it('finishes though every peer disappears in the middle of every answer', async () => {
    const { sync, height, keys } = scene({ a: vanishing(7), b: vanishing(20), c: gone });
    sync.to(100, keys);
    await eventually('the ledger is there', () => height() === 100);
  });

  it('waits for a silent peer no longer than for one frame, then asks another, and it last from then on', async () => {
    const { sync, height, caught, keys } = scene({ silent, honest: honest() });
    const since = performance.now();
    sync.to(1_100, [keys[0]!]);
    await eventually('the ledger is there', () => height() === 1_100, SYNC_FRAME_TIMEOUT_MS + 15_000);
    expect(performance.now() - since).toBeGreaterThan(SYNC_FRAME_TIMEOUT_MS - 100);
    expect(caught).toEqual(['silent stalled']);
  }, 30_000);

  it('believes no claim beyond what it delivers', async () => {
    const { sync, height, asked, keys } = scene({ boaster: honest(CHAIN_BLOCKS.slice(0, 51)), b: honest() });
    sync.claim(keys[0]!, 2 ** 50);
    expect(sync.target).toBe(2 ** 50);
    await eventually('the claim is dropped', () => sync.target === null);
    expect(height()).toBe(50);
    await wait(300);
    // Nobody else was asked on its word.
    expect(new Set(asked)).toEqual(new Set(['boaster']));
  });

  it.each(['empty', 'gone', 'garbage'])('drops the claim of a peer that answers %s', async name => {
    const { sync, keys } = scene({ [name]: { empty, gone, garbage }[name]! });
    sync.claim(keys[0]!, 1_000);
    if (name === 'gone') sync.forget(keys[0]!);
    await eventually('the claim is dropped', () => sync.target === null);
  });

  it('keeps on for a proven height until someone has it', async () => {
    const blocks = CHAIN_BLOCKS.slice(0, 10);
    const { sync, height, keys } = scene({ a: (question, signal) => honestly(blocks, question, signal) });
    sync.to(30, keys);
    await eventually('what there is', () => height() === 9);
    expect(sync.target).toBe(30);
    blocks.push(...CHAIN_BLOCKS.slice(10, 31));
    await eventually('the rest', () => height() === 30);
  });

  it('skips what consensus has adopted meanwhile', async () => {
    const { sync, state, height, caught, keys } = scene({ a: honest() });
    sync.to(40, keys);
    await eventually('some', () => height() >= 5);
    state.head = CHAIN_BLOCKS[Math.min(height() + 3, 40)]!;
    await eventually('all', () => height() === 40);
    expect(caught).toEqual([]);
  });

  it('stops at once', async () => {
    const { sync, height, keys } = scene({ silent });
    sync.to(10, keys);
    await wait(20);
    sync.stop();
    await wait(20);
    expect(height()).toBe(0);
  });
});

describe('fetching a block by id', () => {
  const wanted = CHAIN_BLOCKS[42]!;
  const id = blockId(wanted.header);

  it('takes it from those that should hold it, and from anyone else after them', async () => {
    const { sync, asked, keys } = scene({ a: honest(), holder: honest(CHAIN_BLOCKS.slice(0, 50)) });
    expect(await sync.fetch(id, [keys[1]!])).toEqual(identified(wanted));
    expect(asked).toEqual(['holder']);
    expect(await sync.fetch(blockId(CHAIN_BLOCKS[60]!.header), [keys[1]!])).toEqual(identified(CHAIN_BLOCKS[60]!));
  });

  it('is not deceived by another block or another body', async () => {
    const other: Answer = async function* () {
      yield ok(encode(certifiedBlock, { block: FORK_BLOCKS[42]!, certificate: null }));
    };
    const { sync, caught, keys } = scene({ other, garbage, honest: honest() });
    expect(await sync.fetch(id, keys)).toEqual(identified(wanted));
    expect(caught).toEqual(['other lied', 'garbage lied']);
    const { header } = CHAIN_BLOCKS[43]!;
    const bodiless = { header: { ...header, transactionsRoot: ZERO }, transactions: [] };
    const bent = scene({ a: honest([bodiless]) });
    expect(await bent.sync.fetch(blockId(bodiless.header), bent.keys)).toBeNull();
    expect(bent.caught).toEqual(['a lied']);
  });

  it('asks once for the same block at a time, and for a bounded number at all', async () => {
    const { sync, asked, keys } = scene({ silent });
    const first = sync.fetch(id, keys);
    expect(sync.fetch(id, keys)).toBe(first);
    const all = Array.from({ length: 500 }, (_, i) => sync.fetch(blockId(CHAIN_BLOCKS[i + 100]!.header), keys));
    await wait(10);
    expect(asked.length).toBeLessThanOrEqual(64);
    sync.stop();
    expect(await Promise.all(all)).toEqual(new Array(500).fill(null));
  });

  it('gives up where nobody has it', async () => {
    const { sync, keys } = scene({ empty, gone });
    expect(await sync.fetch(id, keys)).toBeNull();
  });
});

describe('the answers of a node', () => {
  const ask = async (question: Bytes, source = sourceOf(CHAIN_BLOCKS)): Promise<number> => {
    let count = 0;
    for await (const _ of answerSync(source, question, new AbortController().signal)) count += 1;
    return count;
  };

  it('are bounded in blocks, and empty for what makes no sense', async () => {
    expect(await ask(encode(syncQuestion, { type: 'range', from: 0, count: SYNC_RANGE_BLOCKS_MAX }))).toBe(
      SYNC_RANGE_BLOCKS_MAX,
    );
    expect(await ask(encode(syncQuestion, { type: 'range', from: 1_195, count: 100 }))).toBe(5);
    expect(await ask(encode(syncQuestion, { type: 'range', from: 5_000, count: 100 }))).toBe(0);
    expect(await ask(encode(syncQuestion, { type: 'block', id: ZERO }))).toBe(0);
    expect(await ask(new Uint8Array(0))).toBe(0);
    expect(await ask(new Uint8Array(50).fill(255))).toBe(0);
    // A range of no blocks, and one above the bound.
    expect(await ask(Uint8Array.of(1, 0, 0))).toBe(0);
    expect(await ask(Uint8Array.of(1, 0, 0xff, 0x7f))).toBe(0);
  });

  it('are bounded in bytes', async () => {
    const large = new Uint8Array(500_000);
    expect(
      await ask(encode(syncQuestion, { type: 'range', from: 0, count: 100 }), {
        blockBytes: () => large,
        certificate: () => null,
      }),
    ).toBe(5);
  });
});

describe('over the network', () => {
  it('syncs a chain and fetches a block from real nodes', async () => {
    const server = await startNode('server', {
      handlers: { request: (question, _from, signal) => answerSync(sourceOf(CHAIN_BLOCKS), question, signal) },
    });
    const client = await startNode('client', { peers: [server.address] });
    await eventually('connected', () => client.network.peers().length === 1);
    const state: { head: Block } = { head: CHAIN_BLOCKS[0]! };
    const sync = createSyncClient({
      peers: () => client.network.peers().map(peer => peer.key),
      request: (node: PublicKey, question, signal) => client.network.request(node, question, signal),
      height: () => state.head.header.height,
      async apply({ block: next }) {
        if (next.header.parent !== blockId(state.head.header)) return 'bad';
        state.head = next;
        return 'ok';
      },
      fatal,
    });
    running.push(sync);
    sync.claim(server.key, 1_199);
    await eventually('synced', () => state.head.header.height === 1_199);
    expect(await sync.fetch(blockId(CHAIN_BLOCKS[7]!.header), [server.key])).toEqual(identified(CHAIN_BLOCKS[7]!));
  });
});
