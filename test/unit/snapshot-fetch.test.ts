import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { blockId } from '../../ledger/crypto/ids.ts';
import { buildFinality } from '../../ledger/proof/build.ts';
import { manifest } from '../../ledger/snapshot.ts';
import { type ChunkEntries, chunkFinder, chunksUnder, outlineOf } from '../../ledger/state/outline.ts';
import { treeFrom, treeRoot } from '../../ledger/state/tree.ts';
import { block as blockCodec } from '../../ledger/types/block.ts';
import { type Bytes, utf8 } from '../../ledger/types/bytes.ts';
import { BYZANTINE_COMMIT } from '../../ledger/types/certificate.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import { err, ok, type Result } from '../../ledger/types/errors.ts';
import type { Height, PublicKey } from '../../ledger/types/ids.ts';
import { SNAPSHOT_CHUNK_ENTRIES_MAX, SNAPSHOT_FETCHES } from '../../node/limits.ts';
import { chunkEntries, headersBelow, type SyncQuestion } from '../../node/network/certified-block.ts';
import type { RequestFailure } from '../../node/network/requests.ts';
import { answerSnapshot, type SnapshotSource, snapshotQuestion } from '../../node/network/snapshot-server.ts';
import { fetchSnapshot, type SnapshotFetchPorts } from '../../node/snapshot-fetch.ts';
import { openBlockStore } from '../../node/storage/block-store.ts';
import { BASE, FINAL, putMeta, readMeta } from '../../node/storage/database.ts';
import { openLevel } from '../../node/storage/level.ts';
import { installSnapshot, withStage } from '../../node/storage/snapshot-stage.ts';
import { stateEntries } from '../../node/storage/state-store.ts';
import { type Chain, makeChain, setOf, stateKey } from './proof-chain.ts';
import { temporaryDirectory } from './storage/fixtures.ts';

const LENGTH = 12;
const WINDOW_MS = 3_000;
let chain: Chain;

beforeAll(() => {
  const validators = setOf({ a: 1, b: 1, c: 1, d: 1 });
  chain = makeChain({ length: LENGTH, validators, changes: new Map([[5, setOf({ b: 1, c: 1, d: 1, e: 1 })]]) });
});

function entriesAt(height: Height): ChunkEntries {
  const { tree } = chain.block(height);
  const keys = Array.from({ length: 200 }, (_, i) => stateKey(i));
  return keys.flatMap(key => {
    const value = tree.get(key);
    return value === null ? [] : [[key, value] as const];
  });
}

/** What an honest peer whose snapshot is of `height` answers from. */
function honest(height: Height, cutAt = 500): SnapshotSource {
  const { tree } = chain.block(height);
  const state = outlineOf(tree, cutAt)!;
  const chunks = chunksUnder(treeRoot(tree), state)!;
  const find = chunkFinder(chunks);
  const headerAt = (at: Height) => (at === 0 ? chain.block(1).parent : chain.block(at).header);
  return {
    manifest: () => encode(manifest, { finality: buildFinality(chain.evidence(height)), state }),
    async *chunk(of, place) {
      if (of !== height) return;
      for (const entry of entriesAt(height)) if (find(entry[0]) === place) yield encode(chunkEntries, [entry]);
    },
    header: at => (at <= LENGTH ? { header: headerAt(at) } : null),
    blockBytes(at) {
      const { header, transactions } = chain.block(at);
      return encode(blockCodec, { header, transactions });
    },
  };
}

type Tamper = (asked: SyncQuestion, frame: Bytes, index: number) => Bytes | 'cut';

interface Peer {
  readonly source: SnapshotSource;
  readonly tamper?: Tamper;
}

interface Run {
  readonly height: Height | null;
  readonly caught: { readonly peer: string; readonly outcome: string; readonly what: string }[];
  /** What was asked, of whom. */
  readonly asked: readonly (readonly [peer: string, asked: SyncQuestion])[];
}

async function run(
  directory: string,
  peers: Readonly<Record<string, Peer>>,
  least: () => Height = () => 2,
): Promise<Run> {
  const caught: Run['caught'] = [];
  const asked: [string, SyncQuestion][] = [];
  async function* request(
    name: string,
    bytes: Bytes,
    signal: AbortSignal,
  ): AsyncGenerator<Result<Bytes, RequestFailure>> {
    const { source, tamper } = peers[name]!;
    const question = snapshotQuestion(bytes);
    if (question === null) throw new Error('not a question');
    asked.push([name, question]);
    let index = 0;
    for await (const frame of answerSnapshot(source, question, signal)) {
      const sent = tamper?.(question, frame, index++) ?? frame;
      if (sent === 'cut') return void (yield err('REQUEST_CUT'));
      yield ok(sent);
    }
  }
  const ports: Omit<SnapshotFetchPorts, 'stage'> = {
    genesis: chain.genesis,
    rule: BYZANTINE_COMMIT,
    windowMs: WINDOW_MS,
    least,
    begun() {},
    failed() {},
    request: (peer, question, signal) => request(peer, question, signal),
    peers: () => Object.keys(peers) as PublicKey[],
    progress() {},
    caught: it => void caught.push(it),
    signal: AbortSignal.timeout(30_000),
  };
  const height = await withStage(directory, chain.genesis.genesisId, stage => fetchSnapshot({ ...ports, stage }));
  return { height, caught, asked };
}

/** The next opening of the directory finds the state of `height`, all headers below and the blocks of the window. */
async function expectWhole(directory: string, height: Height): Promise<void> {
  await installSnapshot(directory);
  const level = await openLevel(`${directory}/level`);
  const { header } = chain.block(height);
  expect(readMeta(level, FINAL)).toEqual({ height, id: blockId(header), logged: 0 });
  expect(readMeta(level, BASE)).toEqual({ height, id: blockId(header) });
  const entries: (readonly [string, Bytes])[] = [];
  for await (const page of stateEntries(level)) entries.push(...page);
  expect(treeRoot(treeFrom(entries))).toBe(header.stateRoot);
  const blocks = openBlockStore(level, height + 1);
  for (let at = 1; at <= height; at++) expect(blocks.header(at)!.header).toEqual(chain.block(at).header);
  expect(blocks.header(0)!.header).toEqual(chain.block(1).parent);
  for (let at = height - 3; at <= height; at++)
    expect(blocks.block(at)!.transactions.map(each => each.id)).toEqual(
      chain.block(at).transactions.map(each => each.id),
    );
  expect(blocks.block(height - 4)).toBeNull();
  expect(blocks.certificate(height)).not.toBeNull();
  expect(blocks.certificate(5)).not.toBeNull();
  await level.close();
}

const chunksAsked = ({ asked }: Run): number[] =>
  asked.flatMap(([, each]) => (each.type === 'chunk' ? [each.place] : []));

test('a snapshot is fetched whole', async () => {
  const directory = temporaryDirectory();
  expect(await run(directory, { peer: { source: honest(10) } })).toMatchObject({ height: 10, caught: [] });
  await expectWhole(directory, 10);
});

test.each([
  [9, 10],
  [10, 10],
  [11, 11],
])('where the database has got to height %i meanwhile, the next opening finds height %i', async (height, found) => {
  const directory = temporaryDirectory();
  await run(directory, { peer: { source: honest(10) } });
  const before = await openLevel(`${directory}/level`);
  const id = blockId(chain.block(height).header);
  await before.write(batch => putMeta(batch, FINAL, { height, id, logged: 3 }), true);
  await before.close();
  await installSnapshot(directory);
  const after = await openLevel(`${directory}/level`);
  expect(readMeta(after, FINAL)?.height).toBe(found);
  expect(readMeta(after, BASE)).toEqual(height < 10 ? { height: 10, id: blockId(chain.block(10).header) } : null);
  await after.close();
  expect(readdirSync(directory)).toEqual(['level']);
});

test('one that is not far enough ahead, or is never made, is not fetched', async () => {
  expect((await run(temporaryDirectory(), { peer: { source: honest(1) } })).height).toBeNull();
});

test('one that the replay of blocks has overtaken meanwhile is not gone on with', async () => {
  const directory = temporaryDirectory();
  let fetched = 0;
  const tamper: Tamper = (asked, frame) => {
    if (asked.type === 'bodies') fetched++;
    return frame;
  };
  const { height, caught } = await run(directory, { peer: { source: honest(10), tamper } }, () =>
    fetched > 0 ? 11 : 2,
  );
  expect([height, caught]).toEqual([null, []]);
  expect(readdirSync(directory)).not.toContain('level.ready');
});

const LIES: readonly (readonly [what: SyncQuestion['type'], lie: string, tamper: Tamper])[] = [
  [
    'manifest',
    'of another state',
    (_, frame) => {
      const offered = decode(manifest, frame);
      if (!offered.ok) return frame;
      return encode(manifest, { ...offered.value, state: outlineOf(chain.block(3).tree, 500)! });
    },
  ],
  [
    'manifest',
    'with too few signatures',
    (_, frame) => {
      const offered = decode(manifest, frame);
      if (!offered.ok) return frame;
      const { finality } = offered.value;
      const { certificate } = finality.target;
      const fewer = { ...certificate, signatures: certificate.signatures.slice(1) };
      return encode(manifest, {
        ...offered.value,
        finality: { ...finality, target: { ...finality.target, certificate: fewer } },
      });
    },
  ],
  [
    'manifest',
    'with a validator set left out',
    (_, frame) => {
      const offered = decode(manifest, frame);
      if (!offered.ok) return frame;
      return encode(manifest, { ...offered.value, finality: { ...offered.value.finality, changes: [] } });
    },
  ],
  [
    'chunk',
    'with another value',
    (_, frame, index) => {
      const entries = decode(chunkEntries, frame);
      if (!entries.ok || index > 0) return frame;
      return encode(
        chunkEntries,
        entries.value.map(([key]) => [key, utf8('a lie')] as const),
      );
    },
  ],
  [
    'chunk',
    'with one entry more',
    (_, frame, index) => (index > 0 ? frame : Buffer.concat([frame, encode(chunkEntries, [['more', utf8('x')]])])),
  ],
  ['chunk', 'of no entries', () => new Uint8Array([0xff])],
  [
    'headers',
    'of another chain',
    (_, frame) => {
      const headers = decode(headersBelow, frame);
      if (!headers.ok) return frame;
      return encode(
        headersBelow,
        headers.value.map(each => ({ ...each, time: each.time + 1 })),
      );
    },
  ],
  ['headers', 'of none', () => encode(headersBelow, [])],
  [
    'bodies',
    'of another block',
    () => encode(blockCodec, { header: chain.block(2).header, transactions: chain.block(2).transactions }),
  ],
  [
    'bodies',
    'without its transactions',
    (asked, frame) =>
      asked.type === 'bodies'
        ? encode(blockCodec, { header: chain.block(asked.from).header, transactions: [] })
        : frame,
  ],
];

describe('a peer that lies is found out and asked no more, and another one gives what is missing:', () => {
  test.each(LIES)('%s %s', async (what, _, tamper) => {
    const directory = temporaryDirectory();
    const liar: Peer = {
      source: honest(10),
      tamper: (asked, frame, index) => (asked.type === what ? tamper(asked, frame, index) : frame),
    };
    const { height, caught, asked } = await run(directory, { liar, other: { source: honest(10) } });
    expect(height).toBe(10);
    expect(caught).toEqual([{ peer: 'liar', outcome: 'lied', what }]);
    const after = asked.findIndex(([peer]) => peer === 'other');
    expect(asked.slice(after).some(([peer]) => peer === 'liar')).toBe(false);
    await expectWhole(directory, 10);
  });

  test('and where nobody else is there, nothing is fetched', async () => {
    const tamper: Tamper = (asked, frame) => (asked.type === 'chunk' ? new Uint8Array([1]) : frame);
    expect((await run(temporaryDirectory(), { liar: { source: honest(10), tamper } })).height).toBeNull();
  });
});

test.each([
  ['in one message', SNAPSHOT_CHUNK_ENTRIES_MAX + 1, 1],
  ['in many messages', 1_024, 9],
])(
  'a peer that sends more entries than a chunk may have, %s, is not listened to any longer',
  async (_, count, heard) => {
    const source = honest(10);
    let sent = 0;
    async function* flood(): AsyncGenerator<Bytes> {
      for (let i = 0; i < 20; i++) {
        sent++;
        yield new Uint8Array(2 * count);
      }
    }
    const { height, caught } = await run(temporaryDirectory(), { liar: { source: { ...source, chunk: flood } } });
    expect(height).toBeNull();
    expect(caught).toEqual([{ peer: 'liar', outcome: 'lied', what: 'chunk' }]);
    expect(sent).toBeLessThanOrEqual(SNAPSHOT_FETCHES * heard);
  },
);

test('whatever one peer changes of what it sends, what is taken over is the state', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(40), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, at, flip) => {
      let frames = 0;
      const tamper: Tamper = (_, frame) => {
        if (frames++ !== which || frame.length === 0) return frame;
        const changed = frame.slice();
        changed[at % frame.length]! ^= flip;
        return changed;
      };
      const directory = temporaryDirectory();
      const { height } = await run(directory, { liar: { source: honest(9), tamper }, other: { source: honest(9) } });
      expect(height).toBe(9);
      await expectWhole(directory, 9);
    }),
    { numRuns: 25 },
  );
});

describe('what was fetched before', () => {
  /** Goes away after so many chunks. */
  const leaving = (after: number): Tamper => {
    let chunks = 0;
    return (asked, frame, index) => (asked.type === 'chunk' && index === 0 && ++chunks > after ? 'cut' : frame);
  };

  test('is not fetched again, and what has changed since is', async () => {
    const directory = temporaryDirectory();
    const places = chunksUnder(chain.block(10).header.stateRoot, outlineOf(chain.block(10).tree, 500)!)!.length;
    expect(places).toBeGreaterThan(8);
    const aborted = run(directory, {
      leaving: { source: honest(10), tamper: leaving(6) },
      silent: { source: nothing },
    });
    expect((await aborted).height).toBeNull();
    const again = await run(directory, { peer: { source: honest(10) } });
    expect(again.height).toBe(10);
    expect(chunksAsked(again).length).toBe(places - 6);
    await expectWhole(directory, 10);
  });

  test('is forgotten where it is damaged, and fetched anew', async () => {
    const directory = temporaryDirectory();
    const tamper: Tamper = (asked, frame) => (asked.type === 'headers' ? new Uint8Array([1]) : frame);
    await run(directory, { liar: { source: honest(10), tamper } });
    const staged = `${directory}/level.staged`;
    // What was in its log is in a table after it.
    await (await openLevel(staged)).close();
    for (const name of readdirSync(staged).filter(each => each.endsWith('.ldb'))) {
      const bytes = new Uint8Array(readFileSync(`${staged}/${name}`));
      bytes[bytes.length >> 1]! ^= 0x10;
      writeFileSync(`${staged}/${name}`, bytes);
    }
    expect((await run(directory, { peer: { source: honest(10) } })).height).toBeNull();
    expect((await run(directory, { peer: { source: honest(10) } })).height).toBe(10);
    await expectWhole(directory, 10);
  });

  test('of an older snapshot is kept where it is the same, and nothing else of it', async () => {
    const directory = temporaryDirectory();
    const tamper: Tamper = (asked, frame) => (asked.type === 'headers' ? new Uint8Array([1]) : frame);
    const first = await run(directory, { liar: { source: honest(9), tamper } });
    expect(first.height).toBeNull();
    const second = await run(directory, { peer: { source: honest(11) } });
    expect(second.height).toBe(11);
    expect(chunksAsked(second).length).toBeLessThan(chunksAsked(first).length);
    await expectWhole(directory, 11);
  });
});

/** A peer that refuses everything by what it sends. */
const nothing: SnapshotSource = { ...({} as SnapshotSource), manifest: () => new Uint8Array([0xff]) };
