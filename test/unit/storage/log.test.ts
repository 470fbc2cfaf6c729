import { closeSync, copyFileSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../../../ledger/types/bytes.ts';
import type { FaultError } from '../../../ledger/types/errors.ts';
import type { Hash } from '../../../ledger/types/ids.ts';
import { type Log, type LogOptions, readLog, startLog } from '../../../node/storage/log.ts';
import { createLogFile, type LogFile } from '../../../node/storage/log-file.ts';
import { GENESIS } from './chain.ts';
import { temporaryDirectory } from './fixtures.ts';

const SNAPSHOT = 200;
const HEADER_BYTES = 56;

const entry = (text: string) => ({ type: 1, payload: utf8(text) });

/** Opens the log and tells what it held, without the snapshots that each opening and each segment begin with. */
async function openLog(directory: string, options: Partial<LogOptions> = {}) {
  const found: string[] = [];
  const content = await readLog(directory, GENESIS, ({ type, payload }) => {
    if (type !== SNAPSHOT) found.push(fromUtf8(payload)!);
  });
  const failures: FaultError[] = [];
  const log = await startLog(content, {
    snapshot: () => [{ type: SNAPSHOT, payload: utf8('snapshot') }],
    failed: fault => failures.push(fault),
    ...options,
  });
  return { log, found, failures, content };
}

async function append(log: Log, ...texts: string[]): Promise<void> {
  for (const text of texts) log.append(entry(text));
  await log.sync();
}

const indexOf = (bytes: Uint8Array, text: string) => Buffer.from(bytes).lastIndexOf(text);
/** Plain bytes, of which slice() makes a copy. */
const read = (path: string) => new Uint8Array(readFileSync(path));
const files = (directory: string) => readdirSync(directory).sort();
const only = (directory: string) => join(directory, files(directory).at(-1)!);

/** A log of one segment in which each group was synced by itself, and how long its file was then. */
async function written(groups: readonly (readonly string[])[]) {
  const directory = temporaryDirectory();
  const { log } = await openLog(directory);
  const lengths: number[] = [];
  for (const group of groups) {
    await append(log, ...group);
    lengths.push(readFileSync(only(directory)).length);
  }
  await log.close();
  const path = only(directory);
  return { name: path.slice(directory.length + 1), bytes: read(path), lengths };
}

/** A directory with nothing but this segment in it. */
function holding(name: string, bytes: Uint8Array): string {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, name), bytes);
  return directory;
}

const GROUPS = [['a'], ['b', 'ccc'], ['dd'], ['e', 'f', 'g']];
const ALL = GROUPS.flat();

describe('a log', () => {
  it('reads back in order what was appended, over many openings and segments', async () => {
    const directory = temporaryDirectory();
    const expected: string[] = [];
    for (let round = 0; round < 5; round++) {
      const { log, found } = await openLog(directory, { segmentBytesMax: 300 });
      expect(found).toEqual(expected);
      for (let i = 0; i < 20; i++) {
        expected.push(`${round}/${i}`);
        log.append(entry(`${round}/${i}`));
        if (i % 3 === 0) await log.sync();
      }
      await log.close();
    }
    expect(files(directory).length).toBeGreaterThan(5);
  });

  it('shares one sync among those that wait, and keeps their order', async () => {
    let syncs = 0;
    const createFile = async (path: string): Promise<LogFile> => {
      const file = await createLogFile(path);
      const sync = () => {
        syncs++;
        return file.sync();
      };
      return { ...file, sync };
    };
    const { log } = await openLog(temporaryDirectory(), { createFile });
    const before = syncs;
    const done: number[] = [];
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        log.append(entry(String(i)));
        await log.sync();
        done.push(i);
      }),
    );
    expect(done).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(syncs - before).toBeLessThanOrEqual(2);
    await log.close();
  });

  it('syncs nothing when nothing was appended', async () => {
    const directory = temporaryDirectory();
    const { log } = await openLog(directory);
    const { durable } = log;
    await log.sync();
    await log.sync();
    expect(log.durable).toBe(durable);
    await log.close();
  });

  it('removes the segments before a sequence number and no others', async () => {
    const directory = temporaryDirectory();
    const { log } = await openLog(directory, { segmentBytesMax: 100 });
    for (let i = 0; i < 30; i++) await append(log, `entry ${i}`);
    const before = files(directory);
    await log.trim(log.newest - 1);
    expect(files(directory)).toEqual(before.slice(-2));
    await log.trim(log.newest);
    expect(files(directory)).toEqual(before.slice(-1));
    expect(log.first).toBe(log.newest);
    await log.close();
    const { found, log: again } = await openLog(directory);
    expect(found.at(-1)).toBe('entry 29');
    await again.close();
  });

  it('belongs to one network', async () => {
    const directory = temporaryDirectory();
    const { log } = await openLog(directory);
    await log.close();
    const reading = readLog(directory, 'ab'.repeat(32) as Hash, () => {});
    await expect(reading).rejects.toMatchObject({ code: 'WRONG_GENESIS', data: { path: only(directory) } });
  });

  it('removes a segment that was never whole', async () => {
    const directory = temporaryDirectory();
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, '0000000000000001.log.new'), 'half a head');
    const { log, found } = await openLog(directory);
    expect(found).toEqual([]);
    expect(files(directory)).toEqual(['0000000000000001.log']);
    await log.close();
  });
});

describe('a log cut short', () => {
  it('at every byte holds exactly a prefix, and all that was synced before that byte was written', async () => {
    const { name, bytes, lengths } = await written(GROUPS);
    for (let length = HEADER_BYTES; length <= bytes.length; length++) {
      const { log, found } = await openLog(holding(name, bytes.subarray(0, length)));
      await log.close();
      expect(found, `cut at ${length}`).toEqual(ALL.slice(0, found.length));
      const synced = GROUPS.filter((_, i) => lengths[i]! <= length).flat();
      expect(found.length, `cut at ${length}`).toBeGreaterThanOrEqual(synced.length);
    }
  });

  it('within its header is damaged: a segment gets its name only when that is durable', async () => {
    const { name, bytes } = await written(GROUPS);
    for (let length = 0; length < HEADER_BYTES; length++) {
      const opening = openLog(holding(name, bytes.subarray(0, length)));
      await expect(opening).rejects.toMatchObject({ code: 'LOG_DAMAGED', data: { offset: 0 } });
    }
  });

  it('goes on after the cut, and reads the same again', async () => {
    const { name, bytes, lengths } = await written(GROUPS);
    const directory = holding(name, bytes.subarray(0, lengths[2]! + 10));
    const { log, found } = await openLog(directory);
    await append(log, 'after');
    await log.close();
    const again = await openLog(directory);
    expect(again.found).toEqual([...found, 'after']);
    await again.log.close();
  });

  it('before the last segment is damaged', async () => {
    const directory = temporaryDirectory();
    const { log } = await openLog(directory, { segmentBytesMax: 100 });
    for (let i = 0; i < 20; i++) await append(log, `entry ${i}`);
    await log.close();
    const path = join(directory, files(directory)[1]!);
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    await expect(openLog(directory)).rejects.toMatchObject({ code: 'LOG_DAMAGED', data: { path } });
  });

  it('by a whole segment in the middle is damaged', async () => {
    const directory = temporaryDirectory();
    const { log } = await openLog(directory, { segmentBytesMax: 100 });
    for (let i = 0; i < 20; i++) await append(log, `entry ${i}`);
    await log.close();
    const [first, , third] = files(directory);
    const kept = temporaryDirectory();
    for (const name of [first!, third!]) copyFileSync(join(directory, name), join(kept, name));
    await expect(openLog(kept)).rejects.toMatchObject({ code: 'LOG_DAMAGED', data: { path: join(kept, third!) } });
  });
});

describe('a log with a changed byte', () => {
  it('is damaged wherever that was in a synced record: it is never cut there', async () => {
    const { name, bytes } = await written(GROUPS);
    const mark = 25;
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] = changed[at]! ^ (1 << (at % 8));
      const outcome = await openLog(holding(name, changed)).then(
        ({ log, found }) => log.close().then(() => found),
        (fault: FaultError) => fault.code,
      );
      // The trailing mark is all that nobody testifies for; cutting it loses nothing.
      expect(outcome, `byte ${at} of ${bytes.length}`).toEqual(at < bytes.length - mark ? 'LOG_DAMAGED' : ALL);
    }
  });

  it('names the file and where the damaged record begins', async () => {
    const { name, bytes, lengths } = await written(GROUPS);
    const changed = bytes.slice();
    changed[lengths[1]! + 26]! ^= 1;
    const directory = holding(name, changed);
    const fault: FaultError = await openLog(directory).then(
      () => expect.unreachable(),
      error => error,
    );
    expect(fault.code).toBe('LOG_DAMAGED');
    expect(fault.data).toMatchObject({ path: join(directory, name) });
    expect(fault.data.offset).toBeGreaterThan(lengths[0]!);
    expect(fault.data.offset).toBeLessThanOrEqual(lengths[1]! + 26);
    expect(fault.message).toContain(name);
    expect(read(join(directory, name)), 'left as it was found').toEqual(changed);
  });
});

describe('a torn tail', () => {
  /** The records of one unsynced group can reach the disk in any order: the first is lost, the second is whole. */
  async function torn() {
    const { name, bytes, lengths } = await written([['a'], ['bbbb', 'cccc']]);
    // Without the mark that says that the second group was synced after all.
    const unsynced = bytes.slice(0, indexOf(bytes, 'cccc') + 4);
    unsynced.fill(0, lengths[0]! + 25, indexOf(unsynced, 'cccc') - 25);
    return { name, unsynced };
  }

  it('with a whole record after the lost one is cut, not taken for damage', async () => {
    const { name, unsynced } = await torn();
    const { log, found } = await openLog(holding(name, unsynced));
    expect(found).toEqual(['a']);
    await log.close();
  });

  it('of zeros, as file systems leave behind, is cut', async () => {
    const { name, bytes } = await written([['a'], ['b']]);
    const { log, found } = await openLog(holding(name, Buffer.concat([bytes, Buffer.alloc(100_000)])));
    expect(found).toEqual(['a', 'b']);
    await log.close();
  });

  it('does not come back behind later records of the same sequence numbers', async () => {
    const { name, unsynced } = await torn();
    const directory = holding(name, unsynced);
    const { log } = await openLog(directory);
    await append(log, 'dddd');
    await log.close();
    const path = only(directory);
    const stale = unsynced.subarray(indexOf(unsynced, 'cccc') - 25);
    for (const bytes of [stale, unsynced]) {
      const kept = temporaryDirectory();
      for (const each of files(directory)) copyFileSync(join(directory, each), join(kept, each));
      writeFileSync(join(kept, path.slice(directory.length + 1)), Buffer.concat([readFileSync(path), bytes]));
      const again = await openLog(kept);
      expect(again.found).toEqual(['a', 'dddd']);
      await again.log.close();
    }
  });

  it('of whole records from another log, with the very sequence numbers that come next, is cut', async () => {
    const other = await written([['a'], ['b'], ['c'], ['d']]);
    const { name, bytes } = await written([['x'], ['y']]);
    const stale = other.bytes.subarray(bytes.length);
    const { log, found } = await openLog(holding(name, Buffer.concat([bytes, stale])));
    expect(found).toEqual(['x', 'y']);
    await log.close();
  });

  it('of any bytes is cut, and none of them is believed', async () => {
    const { name, bytes } = await written(GROUPS);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async tail => {
        const { log, found } = await openLog(holding(name, Buffer.concat([bytes, tail])));
        await log.close();
        expect(found).toEqual(ALL);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a log whose disk fails', () => {
  const failing = (step: 'write' | 'sync', call: number, code: string) => {
    let calls = 0;
    const createFile = async (path: string): Promise<LogFile> => {
      const file = await createLogFile(path);
      const fail = () => Promise.reject(Object.assign(new Error(`${code}: the disk says no`), { code }));
      return { ...file, [step]: (chunks: never) => (++calls === call ? fail() : file[step](chunks)) };
    };
    return { createFile, calls: () => calls };
  };

  it.each([
    ['sync', 'EIO', 'LOG_SYNC_FAILED'],
    ['write', 'EIO', 'LOG_WRITE_FAILED'],
    ['write', 'ENOSPC', 'DISK_FULL'],
    ['sync', 'ENOSPC', 'DISK_FULL'],
  ] as const)('in %s with %s fails for good with %s and is never tried again', async (step, cause, code) => {
    // Opening takes two of each: the header and the snapshot; a mark follows them as a third write.
    const disk = failing(step, step === 'write' ? 4 : 3, cause);
    const { log, failures } = await openLog(temporaryDirectory(), { createFile: disk.createFile });
    log.append(entry('promised'));
    const first = log.sync();
    log.append(entry('waiting'));
    const second = log.sync();
    await expect(first).rejects.toMatchObject({ code });
    await expect(second).rejects.toMatchObject({ code });
    const calls = disk.calls();
    await expect(log.sync()).rejects.toMatchObject({ code });
    expect(() => log.append(entry('more'))).toThrow(expect.objectContaining({ code }));
    await expect(log.close()).rejects.toMatchObject({ code });
    expect(disk.calls()).toBe(calls);
    expect(failures.map(fault => fault.code)).toEqual([code]);
  });

  it('for want of space says so: a real full device', async () => {
    const full = openSync('/dev/full', 'w');
    let devices = 0;
    const createFile = async (path: string): Promise<LogFile> => {
      const file = await createLogFile(path);
      const device = await createLogFile('/dev/full');
      return { ...file, write: chunks => (++devices > 3 ? device.write(chunks) : file.write(chunks)) };
    };
    const { log, failures } = await openLog(temporaryDirectory(), { createFile });
    await expect(append(log, 'promised')).rejects.toMatchObject({ code: 'DISK_FULL', data: { cause: 'ENOSPC' } });
    expect(failures).toHaveLength(1);
    closeSync(full);
  });
});
