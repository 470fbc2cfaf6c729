/**
 * What a simulated node keeps: the promises, the log's writer and its reader are those of `node/storage`; files, syncs and what becomes
 * of them in a crash are the simulated disk's, in virtual time. The database is a list of blocks behind the log.
 */
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import { type Bytes, EMPTY } from '../../ledger/types/bytes.ts';
import type { FaultError } from '../../ledger/types/errors.ts';
import type { PersistEffect } from '../../node/driver.ts';
import { diskFault } from '../../node/storage/fault.ts';
import { createLogReader } from '../../node/storage/log-reader.ts';
import { createLogWriter, type LogOperation, type LogWriter } from '../../node/storage/log-writer.ts';
import { createPromises, type Promises } from '../../node/storage/promises.ts';
import { type DecidedBlock, type Recovered, recovery } from '../../node/storage/recovery.ts';
import { onDurable } from './bounds.ts';
import { mark } from './checks.ts';
import { chanceAt, measure, strikes } from './choices.ts';
import {
  type CertifiedBlock,
  carryOut,
  contentOf,
  type Disk,
  flipBit,
  tear,
  truncate,
  unsynced,
  writeShort,
} from './disk.ts';
import { checkPromised, said } from './promised.ts';
import { later, type Replica } from './replica.ts';
import { holds } from './violation.ts';
import type { World } from './world.ts';

/** Small, so that segments begin and go within a run. */
const SEGMENT_BYTES_MAX = 16 * 1024;
/** A crash is so many times as likely during a sync, where it hurts, as before any other effect. */
const SYNC_CRASHES = 5;
const FULL_MS_MAX = 5_000;
const GARBAGE_BYTES_MAX = 100;

interface Waiter {
  /** Told when the log is durable up to this record. */
  readonly sequence: number;
  readonly done: () => void;
  readonly failed: (fault: FaultError) => void;
}

export interface Store {
  readonly promises: Promises;
  readonly writer: LogWriter;
  isFlushing: boolean;
  isLingering: boolean;
  /** The engine's: its persists come one after the other. */
  waiter: Waiter | null;
}

export interface Opened {
  readonly store: Store;
  /** Decided, and not in the database: to be executed again. */
  readonly replay: readonly DecidedBlock[];
}

/** Reads the log, as after any crash, and begins a segment. Throws the FaultError of a log or a disk that is no good. */
export function openStore(world: World, { slot, disk }: Pick<Replica, 'slot' | 'disk'>): Opened {
  const { genesis, checks, choices } = world;
  const genesisId = genesis.state.header.parent;
  const fold = recovery(disk.blocks.length);
  const reader = createLogReader(genesisId, fold.take);
  const isNew = disk.files.length === 0;
  for (const file of disk.files) {
    const end = reader.take(file, contentOf(file), file === disk.files.at(-1));
    if (end < file.length) mark(checks, 'torn tail');
    truncate(file, end);
    file.synced = end;
  }
  const recovered = fold.finish();
  holds(!disk.isDamaged, () => 'a flipped bit of what was synced was not noticed');
  checkPromised(disk.promised, recovered);
  checkDatabase(disk, recovered);
  disk.files = disk.files.filter(({ first }) => reader.segments.some(each => each.first === first));
  const promises = createPromises(recovered);
  const writer = createLogWriter({
    ...{ genesisId, next: reader.next, snapshot: promises.snapshot, segmentBytesMax: SEGMENT_BYTES_MAX },
    nonce: () => chanceAt(choices, 'nonce', slot, 2 ** 32),
  });
  if (isNew) promises.decide(writer.append, genesisBlockOf(world), null);
  if (isFull(world, disk)) throw noSpace(disk);
  flushNow(disk, promises, writer);
  return {
    store: { promises, writer, isFlushing: false, isLingering: false, waiter: null },
    replay: recovered.decisions.filter(({ block }) => block.header.height > 0),
  };
}

/** It never gets ahead of the durable log, and the log keeps what it may lack. */
function checkDatabase({ blocks }: Disk, { base, decided }: Recovered): void {
  holds(blocks.length <= (decided?.height ?? 0), () => `the database is at height ${blocks.length}, ahead of the log`);
  holds(blocks.length >= (base?.height ?? 0), () => `the log let go of what comes after height ${blocks.length}`);
}

const genesisBlockOf = ({ genesis }: World): IdentifiedBlock => ({
  ...{ id: genesis.state.id, header: genesis.state.header, transactions: [] },
});

const isFull = ({ now }: World, { fullUntil }: Disk): boolean => now < fullUntil;
const noSpace = ({ files }: Disk): FaultError =>
  diskFault('LOG_WRITE_FAILED', files.at(-1)?.path ?? 'log', Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }));
const failedSync = ({ files }: Disk): FaultError =>
  diskFault('LOG_SYNC_FAILED', files.at(-1)!.path, Object.assign(new Error('EIO'), { code: 'EIO' }));

/** In no time, where nothing else happens: before the node runs. */
export function flushNow(disk: Disk, promises: Promises, writer: LogWriter): void {
  remember(disk, promises);
  for (const operation of writer.flush()) carryOut(disk, operation);
  keep(disk);
}

export function remember(disk: Disk, promises: Promises): void {
  disk.promised = { kept: disk.promised.kept, next: said(promises) };
}

const keep = (disk: Disk): void => {
  disk.promised = { kept: disk.promised.next, next: disk.promised.next };
};

/** A write and its sync, answered when it is durable: at once, in the order of events, as no promise of the language is. */
export function persist(world: World, replica: Replica, { writes, blocks }: PersistEffect): () => PromiseLike<void> {
  const { held, chain, store } = replica.life!;
  const bodies = blocks.map(id => {
    const block = held.get(id) ?? chain.candidate(id)?.block;
    holds(block !== undefined, () => 'the engine persists a block that is not held');
    return block;
  });
  return () => {
    const { promises, writer } = store;
    promises.persist(writer.append, writes, bodies);
    const answer = (done: () => void, failed: (fault: FaultError) => void): void => {
      store.waiter = { sequence: writer.appended, done, failed };
      settle(store);
      if (store.waiter !== null && !store.isFlushing) flush(world, replica);
    };
    // biome-ignore lint/suspicious/noThenProperty: a promise of virtual time, which is what the driver waits for.
    return { then: answer } as PromiseLike<void>;
  };
}

/** The next final block: read back at once, durable with the next flush. */
export function commit(disk: Disk, { promises, writer }: Store, block: CertifiedBlock): void {
  promises.decide(writer.append, block.block, block.certificate);
  disk.blocks.push(block);
}

/** What was committed goes to the log, for the database, where the engine persists nothing soon. */
export function writeBehind(world: World, replica: Replica): void {
  const { store } = replica.life!;
  if (store.isLingering) return;
  store.isLingering = true;
  later(world, replica, world.faults.lingerMs, () => {
    store.isLingering = false;
    if (store.writer.appended <= store.writer.durable) return;
    if (store.isFlushing) writeBehind(world, replica);
    else flush(world, replica);
  });
}

function settle(store: Store): void {
  const { waiter, writer } = store;
  if (waiter === null || waiter.sequence > writer.durable) return;
  store.waiter = null;
  waiter.done();
}

function flush(world: World, replica: Replica): void {
  const { disk } = replica;
  const { store } = replica.life!;
  const logged = disk.blocks.length;
  const operations = store.writer.flush();
  store.isFlushing = true;
  remember(disk, store.promises);
  const proceed = (): void => {
    const { value: operation, done } = operations.next();
    if (done) {
      store.isFlushing = false;
      disk.written = logged;
      onDurable(world, replica, logged);
      keep(disk);
      trim(disk, store);
      settle(store);
      if (store.waiter !== null && !store.isFlushing && replica.life?.store === store) flush(world, replica);
    } else if (operation.type === 'write') write(world, replica, operation, proceed);
    else
      sync(world, replica, () => {
        carryOut(disk, operation);
        proceed();
      });
  };
  proceed();
}

type WriteOperation = Extract<LogOperation, { type: 'write' }>;

function write(world: World, replica: Replica, operation: WriteOperation, done: () => void): void {
  const { disk, slot } = replica;
  const { choices, faults } = world;
  if (!isFull(world, disk) && strikes(choices, 'disk full', faults.diskFullPermille, slot)) {
    disk.fullUntil = world.now + 1 + measure(choices, FULL_MS_MAX);
    const bytes = operation.chunks.reduce((sum, each) => sum + each.length, 0);
    writeShort(disk, operation.chunks, measure(choices, bytes));
  }
  if (isFull(world, disk)) {
    fail(world, replica, noSpace(disk));
    return;
  }
  carryOut(disk, operation);
  done();
}

function sync(world: World, replica: Replica, done: () => void): void {
  const { choices, faults } = world;
  const { slot, disk } = replica;
  later(world, replica, faults.syncMs, () => {
    if (strikes(choices, 'disk error', faults.diskErrorPermille, slot)) fail(world, replica, failedSync(disk));
    else if (strikes(choices, 'crash', SYNC_CRASHES * faults.crashPermille, slot)) world.crashed(replica);
    else done();
  });
}

/** Final: nothing of this life is written any more. */
function fail(world: World, replica: Replica, fault: FaultError): void {
  const { waiter } = replica.life!.store;
  if (waiter === null) world.crashed(replica);
  else waiter.failed(fault);
}

/** Lets go of the segments before the last, once the database durably holds what was decided before it. */
function trim(disk: Disk, { writer, promises }: Store): void {
  const last = disk.files.at(-1)!;
  if (disk.files.length === 1 || last.first !== writer.newest || disk.written < promises.base) return;
  disk.checkpoint = disk.written;
  disk.files = [last];
}

/** Power is cut: of what was not synced nothing is left, or all, or a part with garbage behind it, or all but a bit. */
export function losePower(world: World, { slot, disk, life }: Replica): void {
  const { choices, faults } = world;
  const bytes = unsynced(disk);
  if (bytes === 0 || strikes(choices, 'unacknowledged write', faults.unacknowledgedPermille, slot)) return;
  if (strikes(choices, 'torn write', faults.tornPermille, slot))
    tear(
      disk,
      measure(choices, bytes),
      garbage(bound => measure(choices, bound)),
    );
  else if (strikes(choices, 'flipped bit', faults.flippedPermille, slot)) {
    const last = disk.files.at(-1)!;
    flipBit(last, 8 * last.synced + measure(choices, 8 * bytes));
  } else {
    tear(disk, 0, EMPTY);
    if (life?.store.waiter) mark(world.checks, 'lost persist');
  }
}

const garbage = (draw: (bound: number) => number): Bytes =>
  Uint8Array.from({ length: draw(GARBAGE_BYTES_MAX) }, () => draw(256));

/** The process is gone: what the database was given without a sync is there up to some block. */
export function loseUnwritten(world: World, { slot, disk }: Replica): void {
  const { written, checkpoint } = disk;
  const kept = checkpoint + chanceAt(world.choices, 'written', slot, written - checkpoint + 1);
  disk.blocks = disk.blocks.slice(0, kept);
  disk.written = kept;
  disk.checkpoint = kept;
}
