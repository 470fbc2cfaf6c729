/**
 * One simulated node: the driver, the ledger, the pool and the bodies of a real one, with a disk that forgets what was not
 * synced, a clock that is wrong, and an end at any effect. What a node does with an effect is in `perform.ts`.
 */
import type { ConsensusCore, Event } from '../../consensus/core.ts';
import { placeAbove } from '../../ledger/admission.ts';
import type { Chain } from '../../ledger/chain.ts';
import { createMempool, type Mempool } from '../../ledger/mempool.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, Millis, NodeId } from '../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { createDriver, type Driver } from '../../node/driver.ts';
import { type HeldBlocks, heldBlocks } from '../../node/held-blocks.ts';
import { OFFERED_HEIGHTS_MAX } from '../../node/limits.ts';
import { onWipe } from './bounds.ts';
import { CHAIN_ID } from './chain.ts';
import { mark } from './checks.ts';
import { strikes } from './choices.ts';
import { type Clock, durationOf, newClock, read } from './clock.ts';
import { type Disk, newDisk, wipeDisk } from './disk.ts';
import { transferOf } from './economy.ts';
import { hear } from './hearing.ts';
import { peerKeyOf } from './keys.ts';
import type { Packet } from './packet.ts';
import { perform } from './perform.ts';
import { resumeChain } from './resume.ts';
import { losePower, loseUnwritten, type Opened, openStore, persist, type Store } from './store.ts';
import { answer, claim, connect, greet, hangUp, newSyncHost, type SyncHost, takeAnswer } from './sync.ts';
import { after, type World } from './world.ts';

/** What a process has while it runs. */
export interface Life {
  readonly core: ConsensusCore<unknown>;
  readonly driver: Driver<unknown>;
  readonly store: Store;
  readonly chain: Chain;
  readonly pool: Mempool;
  readonly held: HeldBlocks;
  /** Blocks whose verdict waits for their parent. */
  readonly orphans: Set<BlockId>;
  readonly mining: Set<string>;
  readonly syncing: SyncHost;
  /** The clock never goes back. */
  latest: Millis;
  workTold: Millis | null;
}

export interface Replica {
  readonly slot: number;
  /** null: an observer. */
  readonly key: NodeId | null;
  /** Whether it may break the rules: its statements and its blocks are not checked. */
  readonly byzantine: boolean;
  /** null: it is down. */
  life: Life | null;
  /** Counts its lives: what was scheduled for an earlier one is void. */
  lives: number;
  readonly disk: Disk;
  readonly genesis: Header;
  readonly clock: Clock;
  /** What happens to it once it is awake again; null: it is awake. */
  paused: (() => void)[] | null;
  votesLost: boolean;
  /** Lost its disk, and has not voted since. */
  wiped: boolean;
}

export const newReplica = (slot: number, key: NodeId | null, byzantine: boolean, genesis: Header): Replica => ({
  ...{ slot, key, byzantine, genesis, life: null, lives: 0, disk: newDisk(), clock: newClock() },
  ...{ paused: null, votesLost: false, wiped: false },
});

/** How long an operator takes to find out that a log is damaged, and to wipe the disk. */
const OPERATOR_MS = 1000;
/** With these a process ends that cannot write; it comes back when somebody starts it. */
const WRITE_FAULTS: readonly string[] = ['DISK_FULL', 'LOG_WRITE_FAILED', 'LOG_SYNC_FAILED'];

/** The header of its last final block: of the durable one while it is down. */
export function tip({ life, disk, genesis }: Replica): Header {
  return life?.chain.final.header ?? disk.blocks.at(-1)?.block.header ?? genesis;
}

export function clockOf(world: World, { life, clock }: Replica): Millis {
  const now = Math.max(life?.latest ?? 0, read(clock, world.now));
  if (life !== null) life.latest = now;
  return now;
}

/** A disk that is full or damaged keeps it down: until there is room again, or an operator has wiped it. */
export function start(world: World, replica: Replica): void {
  const opened = open(world, replica);
  if (opened === null) return;
  const { key, votesLost } = replica;
  const { params, profile, economy } = world;
  const { store } = opened;
  const chain = resumeChain(world, replica, opened);
  const seed = BigInt(world.seed * 1000 + replica.slot * 100 + replica.lives);
  const core = profile.module.create({
    self: key,
    chainId: CHAIN_ID,
    params,
    own: economy.genesis.consensus.own,
    seed,
  });
  const held = heldBlocks();
  const { id, header } = chain.head;
  const pending = store.promises.pending().filter(each => each.header.height > header.height);
  for (const block of pending) held.keep(block);
  if (replica.lives > 0) mark(world.checks, 'restart');
  if (header.height > 0 && replica.lives > 0) mark(world.checks, 'recovered from disk');
  const life: Life = {
    ...{ core, store, chain, held, pool: createMempool(economy.genesis), orphans: new Set(), mining: new Set() },
    ...{ latest: 0, workTold: null, syncing: newSyncHost() },
    driver: driverOf(world, replica, core),
  };
  replica.life = life;
  life.driver.start({
    records: new Map(store.promises.records),
    blocks: pending.map(block => ({ id: block.id, header: block.header })),
    ...{ head: id, header, final: header.height, config: { validators: chain.head.validators }, votesLost },
  });
  if (replica.life === life) connect(world, replica);
}

function driverOf(world: World, replica: Replica, core: ConsensusCore<unknown>): Driver<unknown> {
  return createDriver<unknown>({
    core,
    now: () => clockOf(world, replica),
    persist: effect => persist(world, replica, effect),
    perform(effect) {
      if (strikes(world.choices, 'crash', world.faults.crashPermille, replica.slot)) world.crashed(replica);
      else perform(world, replica, effect);
    },
    fatal(error) {
      if (error instanceof FaultError && WRITE_FAULTS.includes(error.code)) world.crashed(replica);
      else throw error;
    },
    timers: {
      set(ms, fire) {
        let isCleared = false;
        later(world, replica, durationOf(replica.clock, ms), () => {
          if (!isCleared) fire();
        });
        return () => {
          isCleared = true;
        };
      },
    },
  });
}

/** Null where the disk does not let it start; what may change that comes later. */
function open(world: World, replica: Replica): Opened | null {
  const again = (delayMs: Millis, prepare: () => void): null => {
    after(world, delayMs, () => {
      if (replica.life !== null) return;
      prepare();
      start(world, replica);
    });
    return null;
  };
  const { disk } = replica;
  try {
    return openStore(world, replica);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    if (error.code === 'DISK_FULL') return again(disk.fullUntil - world.now, () => {});
    if (error.code !== 'LOG_DAMAGED' || !disk.isDamaged) throw error;
    mark(world.checks, 'damage refused');
    return again(OPERATOR_MS, () => {
      if (disk.isDamaged) wipe(world, replica);
    });
  }
}

/** The process ends, and the machine under it goes on: what was written is there. */
export function kill(world: World, replica: Replica): void {
  if (replica.life === null) return;
  replica.life.driver.stop();
  replica.life = null;
  replica.paused = null;
  replica.lives++;
  loseUnwritten(world, replica);
  hangUp(world, replica);
}

/** Power is cut: what was not synced may be gone. */
export function crash(world: World, replica: Replica): void {
  if (replica.life === null) return;
  losePower(world, replica);
  kill(world, replica);
}

/** The disk is lost too. */
export function wipe(world: World, replica: Replica): void {
  crash(world, replica);
  wipeDisk(replica.disk);
  onWipe(world, replica);
  replica.wiped = replica.key !== null;
}

/** Runs `what` in this life of the replica only, and not while it is paused. */
export function later(world: World, replica: Replica, delayMs: number, what: () => void): void {
  const { lives } = replica;
  const fire = (): void => {
    if (replica.lives !== lives) return;
    if (replica.paused === null) what();
    else replica.paused.push(fire);
  };
  after(world, delayMs, fire);
}

/** The process stands still, as in a long collection or a suspended machine. */
export function pause(world: World, replica: Replica, ms: Millis): void {
  if (replica.life === null || replica.paused !== null) return;
  replica.paused = [];
  const { lives } = replica;
  after(world, ms, () => {
    if (replica.lives === lives) wake(replica);
  });
}

export function wake(replica: Replica): void {
  const missed = replica.paused ?? [];
  replica.paused = null;
  for (const each of missed) each();
}

export function post(replica: Replica, event: Event<unknown>): void {
  replica.life?.driver.post(event);
}

/** The transfer of a number, for this replica's pool. */
export function submit(world: World, replica: Replica, transaction: number): void {
  admit(world, replica, transferOf(world.economy, transaction, world.now));
}

/** Answers whether the replica took the transaction in. */
export function admit(world: World, replica: Replica, transaction: IdentifiedTransaction): boolean {
  const { life } = replica;
  if (life === null || replica.paused !== null) return false;
  const { final } = life.chain;
  const admitted = life.pool.admit(clockOf(world, replica), placeAbove(final, final.header.time + 1), transaction);
  tellWork(replica);
  return admitted.ok;
}

export function tellWork(replica: Replica): void {
  const { life } = replica;
  if (life === null) return;
  const since = life.pool.oldestWaiting();
  if (since === life.workTold) return;
  life.workTold = since;
  post(replica, { type: 'work', since });
}

export function receive(world: World, replica: Replica, packet: Packet): void {
  const { life } = replica;
  if (life === null) return;
  if (replica.paused !== null) {
    replica.paused.push(() => receive(world, replica, packet));
    return;
  }
  switch (packet.type) {
    case 'message':
      hear(world, replica, packet);
      break;
    case 'transactions':
      for (const each of packet.transactions) admit(world, replica, each);
      break;
    case 'block':
      offer(world, replica, packet);
      break;
    case 'hello':
      greet(world, replica, packet);
      break;
    case 'question':
      answer(world, replica, packet);
      break;
    case 'answer':
      takeAnswer(world, replica, packet);
      break;
  }
}

/** A body is kept where it was asked for or may be asked for next, and the engine hears of the first kind. */
function offer(world: World, replica: Replica, { block, slot }: Extract<Packet, { type: 'block' }>): void {
  const { chain, held } = replica.life!;
  const { header, id } = block;
  const head = chain.head.header.height;
  if (header.height > head + 1) claim(world, replica, slot, header.height - 1);
  if (header.height <= chain.final.header.height) return;
  const isNear = header.height <= head + OFFERED_HEIGHTS_MAX;
  if ((isNear || held.wants(id)) && held.offer(block, peerKeyOf(slot)) === 'wanted')
    post(replica, { type: 'block', id, header });
}
