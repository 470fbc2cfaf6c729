/** Every benchmark by its name. The short set runs on every change; the others take minutes each. */
import { benchFault } from './fault.ts';
import { benchGrowth } from './growth.ts';
import { benchKv } from './kv.ts';
import { benchLatency } from './latency.ts';
import { benchMemory } from './memory.ts';
import { benchOverload } from './overload.ts';
import { benchProfile } from './profile.ts';
import { benchRaft3 } from './raft3.ts';
import type { Bench } from './result.ts';
import { benchRpc } from './rpc.ts';
import { benchSnapshot } from './snapshot.ts';
import { benchSoak } from './soak.ts';
import { benchState } from './state.ts';
import { benchStateCache } from './state-cache.ts';
import { benchSync } from './sync.ts';
import { benchTps } from './tps.ts';
import { benchWideArea } from './wide-area.ts';

const VALIDATORS = 4;
/** Enough to say what a network can do, where that is not what is asked. */
const CAPACITY = { warmUp: 12_000, transactions: 12_000 };

export const benches: Readonly<Record<string, Bench>> = {
  tps: {
    about: 'transfers committed on all validators per second',
    short: { transactions: 20_000, floor: 0.25 },
    run: ({ transactions = 20_000, validators = VALIDATORS }, progress) =>
      benchTps({ transactions, validators, senders: 1_000 }, progress),
  },
  latency: {
    about: 'from submit to final, on an idle network and at half load',
    short: { transactions: 150, seconds: 6, floor: 0.022 },
    run: ({ transactions = 300, validators = VALIDATORS, seconds = 20 }, progress) =>
      benchLatency(
        { transactions, validators, intervalMs: 100, halfLoadSeconds: seconds, capacity: CAPACITY },
        progress,
      ),
  },
  overload: {
    about: 'transfers committed per second while three times as many are offered',
    short: null,
    run: ({ validators = VALIDATORS, seconds = 60 }, progress) =>
      benchOverload({ validators, seconds, capacity: CAPACITY }, progress),
  },
  fault: {
    about: 'how long no block becomes final when the proposer is killed at half load',
    short: null,
    run: ({ validators = VALIDATORS, seconds = 15 }, progress) =>
      benchFault({ validators, seconds, capacity: CAPACITY }, progress),
  },
  soak: {
    about: 'memory, finality and disk over a long time at half load',
    short: null,
    run: ({ validators = VALIDATORS, seconds = 600 }, progress) =>
      benchSoak({ validators, seconds, capacity: CAPACITY }, progress),
  },
  raft3: {
    about: 'writes of 256 bytes per second on three nodes under Raft, and on three of etcd where that is installed',
    short: null,
    run: ({ transactions = 20_000, seconds = 5 }, progress) =>
      benchRaft3({ transactions, secondsEach: seconds }, progress),
  },
  sync: {
    about: 'transactions that a validator replays per second when it was away',
    short: { transactions: 40_000, floor: 0.19 },
    run: ({ transactions = 200_000, validators = VALIDATORS }, progress) =>
      benchSync({ transactions, validators }, progress),
  },
  snapshot: {
    about: 'seconds in which a new node has a large state from a snapshot',
    short: null,
    run: ({ keys = 1_000_000 }, progress) => benchSnapshot({ keys }, progress),
  },
  state: {
    about: 'an update of the state tree for each key that a block of 1,000 updates changes',
    short: { keys: 1_000_000, blocks: 20, floor: 0.12 },
    run: ({ keys = 1_000_000, blocks = 300 }, progress) => benchState({ keys, blocks }, progress),
  },
  'state-cache': {
    about:
      'an update of a state ten times larger than its cache for each key that a block of 1,000 updates reads and changes',
    short: null,
    run: ({ keys = 1_000_000, blocks = 100 }, progress) => benchStateCache({ keys, blocks }, progress),
  },
  rpc: {
    about: 'transactions that one node takes in per second in batches, and calls that it answers one by one',
    short: { transactions: 40_000, seconds: 1, floor: 0.04 },
    run: ({ transactions = 60_000, seconds = 2 }, progress) => benchRpc({ transactions, rounds: 5, seconds }, progress),
  },
  kv: {
    about: 'transfers committed on all validators per second without client signatures',
    short: null,
    run: ({ transactions = 60_000, validators = VALIDATORS }, progress) =>
      benchKv({ transactions, validators, senders: 1_000 }, progress),
  },
  memory: {
    about: 'the most memory of a validator over many transactions',
    short: null,
    run: ({ transactions = 200_000, validators = VALIDATORS }, progress) =>
      benchMemory({ transactions, validators }, progress),
  },
  profile: {
    about: "where a transaction's microseconds go, part by part",
    short: null,
    run: ({ transactions = 20_000, validators = VALIDATORS }, progress) =>
      benchProfile({ transactions, validators }, progress),
  },
  growth: {
    about: 'what costs come to with more entries of the state, more validators and larger transactions',
    short: null,
    run: ({ keys = 1_000_000, blocks = 100, validators = 16, transactions = 8_000 }, progress) =>
      benchGrowth({ keys, blocks, validators, transactions }, progress),
  },
  'wide-area': {
    about: 'block interval of validators on five continents, in virtual time',
    short: null,
    run: async ({ validators = 100, blocks = 20 }, progress) => benchWideArea({ validators, blocks }, progress),
  },
};
