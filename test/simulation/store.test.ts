/** What a simulated disk does to the bytes of the production log, and what a node makes of it. */
import { describe, expect, it } from 'vitest';
import { EMPTY, utf8 } from '../../ledger/types/bytes.ts';
import type { FaultError } from '../../ledger/types/errors.ts';
import { carryOut, contentOf, type Disk, damage, flipBit, newDisk, tear, truncate, unsynced } from './disk.ts';
import { crash, kill, start, submit } from './replica.ts';
import { flushNow, openStore, remember } from './store.ts';
import { Violation } from './violation.ts';
import { after, commonHeight, newWorld, run, startAll, type World } from './world.ts';

const world = newWorld({ engine: 'solo', seed: 1, powers: [1] });
const open = (disk: Disk) => openStore(world, { slot: 0, disk });
const records = (disk: Disk) => [...open(disk).store.promises.records].map(([key, value]) => `${key} ${value}`);
const writeOf = (key: string, value: string) => [{ key, value: utf8(value) }];
const text = (key: string, value: string) => `${key} ${utf8(value)}`;

const BEFORE = [text('vote', 'first')];
const AFTER = [text('vote', 'second')];

/** One vote is durable, and another is written but not synced. */
function voting(): Disk {
  const disk = newDisk();
  const { promises, writer } = open(disk).store;
  promises.persist(writer.append, writeOf('vote', 'first'), []);
  flushNow(disk, promises, writer);
  promises.persist(writer.append, writeOf('vote', 'second'), []);
  remember(disk, promises);
  const write = writer.flush().next().value!;
  expect(write.type).toBe('write');
  carryOut(disk, write);
  return disk;
}

const TAIL = unsynced(voting());

describe('power is cut during a sync', () => {
  it('what was synced before is there, and what was not is there or not, wherever it is torn', () => {
    const seen = new Set<string>();
    for (let kept = 0; kept <= TAIL; kept++) {
      for (const garbage of [EMPTY, new Uint8Array(40), new Uint8Array(40).fill(255)]) {
        const disk = voting();
        tear(disk, kept, garbage);
        const found = records(disk);
        expect(found).toEqual(kept < TAIL ? BEFORE : AFTER);
        expect(records(disk), 'again').toEqual(found);
        seen.add(found.join());
      }
    }
    expect(seen.size).toBe(2);
  });

  it('a bit that flips in what was not synced is a torn tail', () => {
    for (let bit = 0; bit < 8 * TAIL; bit++) {
      const disk = voting();
      const last = disk.files.at(-1)!;
      flipBit(last, 8 * last.synced + bit);
      expect(records(disk)).toEqual(BEFORE);
    }
  });
});

describe('a bit of what was synced flips', () => {
  it('and the log is refused, whichever it was', () => {
    const { files } = voting();
    let bits = 0;
    for (const [i, { synced }] of files.entries()) {
      for (let bit = 0; bit < 8 * synced; bit++) {
        const disk = voting();
        flipBit(disk.files[i]!, bit);
        expect(() => open(disk)).toThrow(expect.objectContaining({ code: 'LOG_DAMAGED' }) as FaultError);
        bits++;
      }
    }
    expect(bits).toBeGreaterThan(1000);
  });

  it('a damaged log that passed for a whole one would be a violation', () => {
    const disk = { ...newDisk(), isDamaged: true };
    expect(() => open(disk)).toThrow(Violation);
  });
});

describe('what was promised is remembered apart from the bytes', () => {
  const TORN: readonly (readonly [string, (last: { length: number; synced: number }) => number])[] = [
    ['its last synced byte', last => last.synced - 1],
    ['a synced record and its witness', last => last.synced - 40],
  ];
  it.each(TORN)('so that a log without %s is noticed', (_, length) => {
    const disk = voting();
    const last = disk.files.at(-1)!;
    truncate(last, length(last));
    expect(() => open(disk)).toThrow(new Violation('a log lost what the engine had recorded'));
  });
});

describe('a disk that is full', () => {
  it('takes nothing at a start, and the start says so', () => {
    const disk = voting();
    const before = contentOf(disk.files.at(-1)!);
    disk.fullUntil = world.now + 1;
    expect(() => open(disk)).toThrow(expect.objectContaining({ code: 'DISK_FULL' }) as FaultError);
    const left = contentOf(disk.files.at(-1)!);
    expect(left).toEqual(before);
    disk.fullUntil = world.now;
    expect(records(disk)).toEqual(AFTER);
  });
});

describe('in a network', () => {
  function network(): World {
    const it = newWorld({ seed: 7, powers: [1, 1, 1, 1] });
    it.faults.syncMs = 5;
    it.crashed = replica => {
      crash(it, replica);
      after(it, 100, () => {
        if (replica.life === null) start(it, replica);
      });
    };
    startAll(it);
    pay(it, 5);
    return it;
  }

  let transaction = 0;
  function pay(it: World, blocks: number): void {
    for (let i = 0; i < blocks; i++) {
      for (const replica of it.replicas) submit(it, replica, transaction);
      transaction++;
      run(it, 500);
    }
  }

  it('segments begin and go, and a restart executes again what the database lacks', () => {
    const it = network();
    pay(it, 60);
    for (const { disk } of it.replicas) {
      expect(disk.files.length).toBeLessThanOrEqual(2);
      expect(disk.files.at(-1)!.first).toBeGreaterThan(100);
      expect(disk.checkpoint).toBeGreaterThan(0);
    }
    const height = commonHeight(it);
    for (const replica of it.replicas) {
      crash(it, replica);
      start(it, replica);
    }
    expect(commonHeight(it)).toBe(height);
    expect(it.checks.marks.get('replayed block')).toBeGreaterThan(0);
  });

  it('a database that lost what it had synced is noticed', () => {
    const it = network();
    pay(it, 60);
    const replica = it.replicas[0]!;
    replica.disk.checkpoint = 0;
    replica.disk.written = 0;
    crash(it, replica);
    expect(() => start(it, replica)).toThrow(new Violation('the log let go of what comes after height 0'));
  });

  it.each(['diskFullPermille', 'diskErrorPermille'] as const)('%s stops nodes, and nothing promised is lost', fault => {
    const it = network();
    it.faults[fault] = 50;
    pay(it, 20);
    it.faults[fault] = 0;
    run(it, 10_000);
    const before = commonHeight(it);
    pay(it, 3);
    expect(commonHeight(it)).toBeGreaterThan(before);
    expect(it.checks.marks.get('restart')).toBeGreaterThan(3);
  });

  it('a node with a damaged log stays down until an operator has wiped it, and votes again', () => {
    const it = network();
    const replica = it.replicas[2]!;
    kill(it, replica);
    damage(replica.disk, bound => bound - 1);
    start(it, replica);
    expect(replica.life).toBeNull();
    expect(it.checks.marks.get('damage refused')).toBe(1);
    run(it, 3000);
    expect(replica.life!.core.status().voting).toBe(false);
    pay(it, 10);
    expect(replica.life!.core.status().voting).toBe(true);
  });
});
