/** What the simulator knows of each engine: the faults it has to bear, what it may say once only, what a campaign must reach. */
import type { CoreModule } from '../../consensus/core.ts';
import { engines } from '../../consensus/registry.ts';
import { assert } from '../../ledger/types/assert.ts';
import type { Mark } from './checks.ts';

export interface Profile {
  readonly module: CoreModule<unknown>;
  /** `byzantine`: a third may lie. `crash`: less than half may be down, nobody lies. */
  readonly bears: 'byzantine' | 'crash';
  /** Whether a validator that lost its disk comes back without harm. */
  readonly bearsWipe: boolean;
  /** Networks to draw from, by the powers of their validators. */
  readonly shapes: readonly (readonly number[])[];
  /** How long a healed network may take for three blocks. */
  readonly recoveryMsMax: number;
  /** What an honest validator says one thing for, ever; null: the message is no such statement. */
  slotOf(message: unknown): string | null;
  /** Seeds in a test run, and how many messages of a type a block may cost on average under all faults. */
  readonly seeds: number;
  readonly messagesPerBlockMax: number;
  /** What is worth counting in a message. */
  markOf(message: unknown): Mark | null;
  /** What a campaign is worthless without. */
  readonly reached: readonly Mark[];
}

type Words = Omit<
  Profile,
  'module' | 'bears' | 'bearsWipe' | 'shapes' | 'recoveryMsMax' | 'seeds' | 'messagesPerBlockMax'
> &
  Partial<Profile>;

/** The fields that slots are made of, as far as a message has them. */
interface Spoken {
  readonly type: string;
  readonly height?: number;
  readonly view?: number;
  readonly justification?: { readonly prepares: readonly unknown[] } | null;
}

const BYZANTINE_SHAPES = [
  [1, 1, 1, 1],
  [1, 1, 1, 1],
  [1, 1, 1, 1, 1],
  [3, 2, 2, 1, 1],
  [1, 1, 1, 1, 1, 1, 1],
];
const CRASH_SHAPES = [
  [1, 1, 1],
  [1, 1, 1],
  [1, 1, 1, 1, 1],
  [1, 1, 1, 1],
  [3, 2, 2, 1, 1],
];

const SEEDS = 200;

/** Views that ran high under faults, at the cap, and some slack. */
const RECOVERY_MS_MAX = 60_000;

const ALWAYS: readonly Mark[] = ['block sync', 'lost persist', 'restart'];

const BALLOTS = new Set(['proposal', 'prepare', 'commit', 'round-change']);

/** The three phases that Byzantine engines share: a ballot of each kind in a view, at most. */
const threePhases: Words = {
  slotOf(message) {
    const { type, height, view } = message as Spoken;
    return BALLOTS.has(type) ? `${type} ${height} ${view}` : null;
  },
  markOf(message) {
    const { type, justification } = message as Spoken;
    if (type === 'round-change') return 'view change';
    if (type === 'decision') return 'decision';
    return type === 'proposal' && (justification?.prepares.length ?? 0) > 0 ? 're-proposal' : null;
  },
  reached: [...ALWAYS, 'view change', 're-proposal', 'equivocation', 'decision'],
};

/** An engine without words of its own is held to what holds for all: agreement, certificates, durability, progress. */
const PLAIN: Words = { slotOf: () => null, markOf: () => null, reached: ALWAYS };

const WORDS: ReadonlyMap<string, Words> = new Map([
  ['solo', { ...PLAIN, shapes: [[1]], reached: ['lost persist', 'restart'] }],
  ['pbft', threePhases],
  ['pos', threePhases],
]);

export function profileOf(engine: string): Profile {
  const module = engines.get(engine);
  assert(module, `no engine of the name ${engine}`);
  const bears = module.spec.certificate?.trust ?? 'crash';
  const shapes = bears === 'byzantine' ? BYZANTINE_SHAPES : CRASH_SHAPES;
  return {
    module,
    bears,
    bearsWipe: true,
    shapes,
    recoveryMsMax: RECOVERY_MS_MAX,
    seeds: SEEDS,
    messagesPerBlockMax: 100,
    ...(WORDS.get(engine) ?? PLAIN),
  };
}
