import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { block as blockCodec } from '../../../ledger/types/block.ts';
import { encode } from '../../../ledger/types/codec.ts';
import type { FaultError } from '../../../ledger/types/errors.ts';
import type { Hash } from '../../../ledger/types/ids.ts';
import { openLevel } from '../../../node/storage/level.ts';
import { openStore, type Store } from '../../../node/storage/store.ts';
import { GENESIS, makeChain } from './chain.ts';
import { open, temporaryDirectory, write } from './fixtures.ts';

const { blocks, finals } = makeChain(60, { transactions: 30, payloadBytes: 200 });
const encoded = blocks.map(each => encode(blockCodec, each));
const failed = () => {};

/** Leaves in `killed` a node's directory after a kill: the first blocks in tables, later ones in LevelDB's log, the last in ours only. */
async function useAndKill(killed: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-storage-'));
  const first = await open(directory, { segmentBytesMax: 200_000 });
  for (const final of finals.slice(0, 40)) await first.commit(final);
  await first.close();
  const store = await open(directory);
  for (const final of finals.slice(40, 50)) {
    await store.commit(final);
    await store.flushed();
  }
  await store.persist([write('vote', '50')], [blocks[50]!]);
  cpSync(directory, killed, { recursive: true });
  await store.close();
  rmSync(directory, { recursive: true });
}

const outcome = (opening: Promise<Store>): Promise<FaultError | Store> => opening.catch((error: FaultError) => error);

const filesIn = (directory: string, pattern: RegExp): string[] =>
  readdirSync(directory)
    .filter(name => pattern.test(name))
    .sort()
    .map(name => join(directory, name));

function flip(path: string, at: number): void {
  const bytes = new Uint8Array(readFileSync(path));
  bytes[at]! ^= 0x10;
  writeFileSync(path, bytes);
}

describe('a damaged database', () => {
  const used = mkdtempSync(join(tmpdir(), 'quorate-storage-'));
  beforeAll(() => useAndKill(used));
  afterAll(() => rmSync(used, { recursive: true }));

  const damages: readonly [string, (level: string) => void][] = [
    ['an empty CURRENT', level => writeFileSync(join(level, 'CURRENT'), '')],
    ['no CURRENT', level => rmSync(join(level, 'CURRENT'))],
    ['a CURRENT that names another file', level => writeFileSync(join(level, 'CURRENT'), 'MANIFEST-999999\n')],
    ['a cut MANIFEST', level => truncateSync(filesIn(level, /^MANIFEST/)[0]!, 20)],
    ['no MANIFEST', level => rmSync(filesIn(level, /^MANIFEST/)[0]!)],
    ['a table that is gone', level => rmSync(filesIn(level, /\.ldb$/)[0]!)],
    ['an empty table', level => truncateSync(filesIn(level, /\.ldb$/)[0]!, 0)],
    ['LevelDB logs that are gone', level => filesIn(level, /\.log$/).map(path => rmSync(path))],
    [
      'everything but CURRENT, MANIFEST and the lock gone',
      level => filesIn(level, /\.(log|ldb)$/).map(path => rmSync(path)),
    ],
  ];

  it.each(damages)('with %s is told with a hint, or was brought up to date, and is never wrong', async (_, damage) => {
    const directory = join(temporaryDirectory(), 'data');
    cpSync(used, directory, { recursive: true });
    damage(join(directory, 'level'));
    const result = await outcome(openStore(directory, { genesisId: GENESIS, failed }));
    if ('code' in result) {
      expect(result, result.message).toMatchObject({ code: 'STORE_DAMAGED', data: { path: join(directory, 'level') } });
      expect(result.hint).toMatch(/delete this directory and start again/);
      return;
    }
    await expectWhole(result);
  });

  /** Whether the store, once replayed, holds exactly the 50 decided blocks. A fault on the way is fine, a lie is not. */
  async function expectWhole(store: Store): Promise<string> {
    try {
      for (const { block } of store.recovered.replay) await store.commit(finals[block.header.height]!);
      await store.flushed();
      for (const [height, bytes] of encoded.slice(0, 50).entries()) {
        expect(Buffer.compare(store.blockBytes(height)!, bytes), `block ${height}`).toBe(0);
      }
      expect(store.receipts(49)).toEqual(finals[49]!.receipts);
      for await (const page of store.stateEntries()) expect(page.length).toBeGreaterThan(0);
      expect(store.final).toEqual({ height: 49, id: blocks[49]!.id });
      return 'whole';
    } catch (error) {
      if ((error as FaultError).code !== 'STORE_DAMAGED') throw error;
      return 'STORE_DAMAGED';
    } finally {
      await store.close().catch(() => {});
    }
  }

  it('with a changed bit anywhere in its files never passes for a whole one', async () => {
    const outcomes = new Map<string, number>();
    const names = filesIn(join(used, 'level'), /\.(ldb|log)$/).map(path => path.slice(used.length + 1));
    for (const name of names) {
      const { length } = readFileSync(join(used, name));
      for (let i = 0; i < 8; i++) {
        const directory = join(temporaryDirectory(), 'data');
        cpSync(used, directory, { recursive: true });
        if (length > 0) flip(join(directory, name), Math.floor((length * (i + 0.5)) / 8));
        const result = await outcome(openStore(directory, { genesisId: GENESIS, failed }));
        const what = 'code' in result ? result.code : await expectWhole(result);
        outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
        rmSync(directory, { recursive: true });
      }
    }
    expect([...outcomes.keys()].every(each => each === 'STORE_DAMAGED' || each === 'whole')).toBe(true);
    expect(outcomes.get('STORE_DAMAGED')).toBeGreaterThan(5);
  });

  it('that lost a batch in the middle is found out by the missing block', async () => {
    const directory = join(temporaryDirectory(), 'data');
    cpSync(used, directory, { recursive: true });
    const level = await openLevel(join(directory, 'level'));
    const [key] = (await level.page(Uint8Array.of(1), null, 1000)).at(-4)!;
    await level.write(batch => batch.delete(key));
    await level.close();
    await expect(open(directory)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  it('that forgot how far it goes is found out', async () => {
    const directory = join(temporaryDirectory(), 'data');
    cpSync(used, directory, { recursive: true });
    const level = await openLevel(join(directory, 'level'));
    await level.write(batch => batch.delete(Uint8Array.of(0, ...Buffer.from('final'))));
    await level.close();
    await expect(open(directory)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  it('that ends before what the log no longer holds is found out', async () => {
    const directory = temporaryDirectory();
    const early = temporaryDirectory();
    const store = await open(directory, { segmentBytesMax: 50_000 });
    for (const final of finals.slice(0, 10)) await store.commit(final);
    await store.flushed();
    cpSync(join(directory, 'level'), early, { recursive: true });
    for (const final of finals.slice(10)) await store.commit(final);
    await store.close();
    const mixed = temporaryDirectory();
    cpSync(early, join(mixed, 'level'), { recursive: true });
    cpSync(join(directory, 'log'), join(mixed, 'log'), { recursive: true });
    await expect(open(mixed)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });
});

describe('a log that does not fit its database', () => {
  it.each([
    ['is gone', (log: string) => rmSync(log, { recursive: true })],
    ['is empty', (log: string) => filesIn(log, /\.log$/).map(path => rmSync(path))],
    ['ends too early', (log: string) => truncateSync(filesIn(log, /\.log$/).at(-1)!, 56)],
    ['lost its newest segment', (log: string) => rmSync(filesIn(log, /\.log$/).at(-1)!)],
  ])('because it %s is damaged: the votes in it are not forgotten in silence', async (_, damage) => {
    const directory = join(temporaryDirectory(), 'data');
    await useAndKill(directory);
    damage(join(directory, 'log'));
    const hint = expect.stringMatching(/votes again only once a quorum/);
    await expect(open(directory)).rejects.toMatchObject({ code: 'LOG_DAMAGED', hint });
  });
});

describe('a data directory', () => {
  it('of another network is refused and left as it was', async () => {
    const directory = temporaryDirectory();
    await (await open(directory)).close();
    const other = openStore(directory, { genesisId: 'ab'.repeat(32) as Hash, failed });
    await expect(other).rejects.toMatchObject({ code: 'WRONG_GENESIS' });
    await (await open(directory)).close();
  });

  it('written by a newer release is refused', async () => {
    const directory = temporaryDirectory();
    await (await open(directory)).close();
    const level = await openLevel(join(directory, 'level'));
    const key = Uint8Array.of(0, ...Buffer.from('format'));
    await level.write(batch => batch.put(key, Uint8Array.of(2, ...level.get(key)!.subarray(1))));
    await level.close();
    await expect(open(directory)).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW', data: { version: 2 } });
  });

  it('serves one process at a time', async () => {
    const directory = temporaryDirectory();
    const store = await open(directory);
    const again = open(directory);
    await expect(again).rejects.toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' });
    const script = join(import.meta.dirname, 'crashing-node.ts');
    const child = spawn(process.execPath, [script, directory, '3'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', text => {
      said += text;
    });
    expect(await new Promise(resolve => child.on('close', resolve))).toBe(1);
    expect(said).toContain('DATA_DIRECTORY_IN_USE');
    await store.persist([write('vote', '1')], []);
    await store.close();
    await (await open(directory)).close();
  });

  it('cut short in its first start is taken up again', async () => {
    const directory = temporaryDirectory();
    await (await open(directory)).close();
    rmSync(join(directory, 'level'), { recursive: true });
    mkdirSync(join(directory, 'level'));
    const level = await openLevel(join(directory, 'level'));
    await level.close();
    const store = await open(directory);
    expect(store.recovered.final).toBeNull();
    await store.close();
  });
});
