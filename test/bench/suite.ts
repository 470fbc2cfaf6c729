/** Every benchmark by its name. The short set runs on every change; the others take minutes each. */
import { benchLatency } from './latency.ts';
import { benchMemory } from './memory.ts';
import { benchProfile } from './profile.ts';
import type { Bench } from './result.ts';
import { benchTps } from './tps.ts';

const VALIDATORS = 4;

export const benches: Readonly<Record<string, Bench>> = {
  tps: {
    about: 'transfers committed on all validators per second',
    short: { transactions: 20_000 },
    run: ({ transactions = 20_000, validators = VALIDATORS }, progress) =>
      benchTps({ transactions, validators, senders: 1_000 }, progress),
  },
  latency: {
    about: 'from submit to final on an idle network',
    short: { transactions: 150 },
    run: ({ transactions = 300, validators = VALIDATORS }, progress) =>
      benchLatency({ transactions, validators, intervalMs: 100 }, progress),
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
};
