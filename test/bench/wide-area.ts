/** Validators on several continents, in the simulator: real engine, real ledger, virtual time. No faults, signatures that are stubs. */
import { rng } from '../../consensus/rng.ts';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import { encode } from '../../ledger/types/codec.ts';
import { compactBlock, compactOf } from '../../ledger/types/compact-block.ts';
import type { Height, Millis, TransactionId } from '../../ledger/types/ids.ts';
import { transferOf } from '../simulation/economy.ts';
import type { Packet } from '../simulation/packet.ts';
import { admit, type Replica, tip } from '../simulation/replica.ts';
import { commonHeight, newWorld, run, startAll, transmit, type World } from '../simulation/world.ts';
import { intervalAtBest, latencies, REGIONS } from './regions.ts';
import { type BenchProgress, type BenchResult, percentile, rounded, sizesUpTo } from './result.ts';

export interface WideAreaOptions {
  /** In the largest network. */
  readonly validators: number;
  /** Measured of each network. */
  readonly blocks: number;
}

const VALIDATORS = [4, 16, 31, 64, 100] as const;
const SEED = 1;
/** All validators together are given so many in a virtual second, each to one of them in turn. */
const TRANSACTIONS_PER_SECOND = 50;
/** Before the measuring begins: connections are made, and blocks follow each other. */
const WARM_UP_BLOCKS = 3;
/** A block may take so much virtual time; what takes longer has stopped. */
const BLOCK_MS_MAX = 60_000;
/** In the envelope of a message. */
const PUBLIC_KEY_BYTES = 33;

const COUNTED =
  'distances, messages of the engine, blocks by the ids of their transactions, transactions passed on, 1 ms to build or execute, 1 ms to write';
const NOT_COUNTED = 'bandwidth, processor time, signatures (stubs), frames, TLS, TCP';

/** What one network came to. */
interface Run {
  readonly intervalsMs: readonly number[];
  /** From the submission to a validator until that validator knows it to be final. */
  readonly finalMs: readonly number[];
  readonly laterViews: number;
  readonly messages: number;
  readonly bytes: number;
}

/** Block interval and time to final in virtual ms, and what each validator sends for a block, in networks of several sizes. */
export function benchWideArea({ validators, blocks }: WideAreaOptions, progress: BenchProgress): BenchResult {
  const points = sizesUpTo(VALIDATORS, validators).map(count => {
    const counted = measured(count, blocks, done => progress(`${count} validators`, done, blocks));
    const { intervalsMs, finalMs, laterViews, messages, bytes } = counted;
    const each = (sum: number) => rounded(sum / count / blocks, 0);
    return {
      validators: count,
      intervalMs: rounded(mean(intervalsMs)),
      intervalMsMax: Math.max(...intervalsMs),
      intervalAtBestMs: rounded(intervalAtBest(count)),
      ...{ finalMsP50: percentile(finalMs, 0.5), finalMsP99: percentile(finalMs, 0.99) },
      ...{ messagesPerBlock: each(messages), bytesPerBlock: each(bytes) },
      megabitsPerSecond: rounded((bytes * 8) / count / sum(intervalsMs) / 1_000, 3),
      laterViews,
    };
  });
  const { intervalMs: value, intervalAtBestMs: limit } = points.at(-1)!;
  return {
    ...{ name: 'wide-area', value, unit: 'ms', ratio: rounded(limit / value, 3), limit },
    figures: {
      ...{ engine: 'pbft', blocks, transactionsPerSecond: TRANSACTIONS_PER_SECOND, regions: REGIONS.join(', ') },
      ...{ counted: COUNTED, notCounted: NOT_COUNTED, networks: points },
    },
  };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

function measured(count: number, blocks: number, onBlock: (done: number) => void): Run {
  const world = newWorld({ seed: SEED, powers: new Array<number>(count).fill(1) });
  world.network.latencyMs = latencies(rng(BigInt(SEED)));
  startAll(world);
  const clients = newClients(world);
  passUntil(world, clients, WARM_UP_BLOCKS);
  const before = { at: world.now, height: commonHeight(world) };
  let messages = 0;
  let bytes = 0;
  world.left = (_, packet) => {
    messages += 1;
    bytes += bytesOf(packet);
  };
  for (let done = 1; done <= blocks; done++) {
    passUntil(world, clients, before.height + done);
    onBlock(done);
  }
  const finals = clients.finals.filter(({ submittedAt }) => submittedAt >= before.at);
  const measuredBlocks = world.replicas[0]!.disk.blocks.slice(before.height, before.height + blocks);
  return {
    intervalsMs: measuredBlocks.map(
      (_, i) => clients.finalAt[before.height + i]! - clients.finalAt[before.height + i - 1]!,
    ),
    finalMs: finals.map(({ submittedAt, finalAt }) => finalAt - submittedAt),
    laterViews: measuredBlocks.filter(({ certificate }) => (certificate?.view ?? 0) > 0).length,
    ...{ messages, bytes },
  };
}

/** Who submits, and waits until the validator asked knows the transaction to be final. */
interface Clients {
  /** Transactions made so far. */
  made: number;
  readonly startedAt: Millis;
  /** Not final yet, with the slot asked. */
  readonly waiting: Map<TransactionId, { readonly slot: number; readonly submittedAt: Millis }>;
  readonly finals: { readonly submittedAt: Millis; readonly finalAt: Millis }[];
  /** How far each validator was at the last look. */
  readonly heights: Height[];
  /** When the first validator knew each block to be final, by height less one. */
  readonly finalAt: Millis[];
}

const newClients = ({ now, replicas }: World): Clients => ({
  ...{ made: 0, startedAt: now, waiting: new Map(), finals: [], heights: replicas.map(() => 0), finalAt: [] },
});

/** Lets time pass until all validators have a block, ms by ms: everything here takes whole ones. */
function passUntil(world: World, clients: Clients, height: Height): void {
  const end = world.now + BLOCK_MS_MAX;
  while (commonHeight(world) < height) {
    if (world.now >= end) throw new Error(`no block ${height} within ${BLOCK_MS_MAX} virtual ms`);
    submitDue(world, clients);
    run(world, 1);
    for (const replica of world.replicas) look(world, clients, replica);
  }
}

/** Hands out all that is due by now. What a validator takes in it passes on to all others. */
function submitDue(world: World, clients: Clients): void {
  const { now, replicas, economy } = world;
  const due = ((now - clients.startedAt) * TRANSACTIONS_PER_SECOND) / 1_000;
  for (; clients.made < due; clients.made++) {
    const transaction = transferOf(economy, clients.made, now);
    const first = replicas[clients.made % replicas.length]!;
    if (!admit(world, first, transaction)) throw new Error(`validator ${first.slot} refuses a transaction`);
    clients.waiting.set(transaction.id, { slot: first.slot, submittedAt: now });
    for (const other of replicas)
      if (other !== first) transmit(world, first.slot, other, { type: 'transactions', transactions: [transaction] });
  }
}

function look({ now }: World, { waiting, finals, heights, finalAt }: Clients, replica: Replica): void {
  const { slot, disk } = replica;
  const { height } = tip(replica);
  for (const { block } of disk.blocks.slice(heights[slot], height)) {
    if (slot === 0) finalAt.push(now);
    for (const { id } of block.transactions) {
      const submitted = waiting.get(id);
      if (submitted?.slot !== slot) continue;
      waiting.delete(id);
      finals.push({ submittedAt: submitted.submittedAt, finalAt: now });
    }
  }
  heights[slot] = height;
}

const compactBytes = new WeakMap<IdentifiedBlock, number>();

/** As a node would send it, less what frames and connections add. */
function bytesOf(packet: Packet): number {
  switch (packet.type) {
    case 'message':
      return PUBLIC_KEY_BYTES + packet.bytes.length + packet.signature.length;
    case 'block': {
      const { block } = packet;
      const bytes = compactBytes.get(block) ?? encode(compactBlock, compactOf(block)).length;
      compactBytes.set(block, bytes);
      return bytes;
    }
    case 'transactions':
      return sum(packet.transactions.map(each => each.size));
    case 'question':
      return packet.bytes.length;
    case 'answer':
      return sum(packet.contents.map(each => (each instanceof Uint8Array ? each.length : 0)));
    case 'hello':
      return 0;
  }
}
