/** What the simulator knows of each engine: the faults it has to bear, what it may say once only, what a campaign must reach. */
import type { CoreModule, OwnParams, Params } from '../../consensus/core.ts';
import { engines } from '../../consensus/registry.ts';
import { assert } from '../../ledger/types/assert.ts';
import type { NodeId } from '../../ledger/types/ids.ts';
import type { Mark } from './checks.ts';

/** Something that may be said in one way only, however often, across every crash. */
export interface Statement {
  /** What it is said for. */
  readonly slot: string;
  readonly said: string;
  /** Whether nobody else may say otherwise either. */
  readonly shared?: true;
}

export interface Profile {
  readonly module: CoreModule<unknown>;
  /** `byzantine`: a third may lie. `crash`: less than half may be down, nobody lies. */
  readonly bears: 'byzantine' | 'crash';
  /** Whether a validator that lost its disk comes back without harm. */
  readonly bearsWipe: boolean;
  /**
   * For how long a part of the network may be cut off from the others, or stand still; Infinity: for as long as it likes. Where it
   * has an end, the network comes together before it falls apart again.
   */
  readonly apartMsMax: number;
  /** Networks to draw from, by the powers of their validators. */
  readonly shapes: readonly (readonly number[])[];
  /** What differs in its genesis from that of other simulated networks, and what it gives of the engine's own. */
  readonly params: Partial<Params>;
  readonly own: OwnParams;
  /** How long a healed network may take for three blocks. */
  readonly recoveryMsMax: number;
  /** How long a run has faults, in virtual ms. */
  readonly faultMs: number;
  /** Seeds in a test run. */
  readonly seeds: number;
  /** How many messages of each type a block may cost on average under all faults: half as many again as were counted. */
  readonly messagesPerBlockMax: Readonly<Record<string, number>>;
  /** What its core may hold: by its own count, and in bytes of its digest. */
  readonly heldMax: number;
  readonly digestBytesMax: number;
  /** What a message states; null: nothing that binds its sender. */
  statementOf(message: unknown, to: readonly NodeId[] | 'all', from: NodeId): Statement | null;
  /** What is worth counting in a message. */
  markOf(message: unknown): Mark | null;
  /** What a campaign is worthless without. */
  readonly reached: readonly Mark[];
}

type Words = Pick<Profile, 'statementOf' | 'markOf' | 'reached'> & Partial<Profile>;

/** The fields that statements are made of, as far as a message has them. */
interface Spoken {
  readonly type: string;
  readonly height: number;
  readonly view: number;
  readonly round: number;
  readonly term: number;
  readonly block: string;
  readonly proposer: string;
  readonly prepared: { readonly view: number; readonly block: string } | null;
  readonly justification: { readonly prepares: readonly unknown[] } | null;
  readonly fresh: boolean;
  readonly pre: boolean;
  readonly granted: boolean;
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

const LOADED: readonly Mark[] = ['submitted again', 'transfer refused'];
/** A log that power cuts tear, and what a node finds on it again. */
const RECOVERY: readonly Mark[] = ['lost persist', 'torn tail', 'restart', 'recovered from disk', 'replayed block'];
const ALWAYS: readonly Mark[] = [...LOADED, ...RECOVERY, 'block sync', 'damage refused'];

/** The three phases that Byzantine engines share: a ballot of each kind in a view, at most. */
const THREE_PHASES: Words = {
  statementOf(message) {
    const { type, height, view, block, prepared } = message as Spoken;
    if (type === 'proposal' || type === 'prepare' || type === 'commit')
      return { slot: `${type} ${height} ${view}`, said: block };
    if (type !== 'round-change') return null;
    return { slot: `${type} ${height} ${view}`, said: prepared === null ? '' : `${prepared.view} ${prepared.block}` };
  },
  markOf(message) {
    const { type, justification } = message as Spoken;
    if (type === 'round-change') return 'view change';
    if (type === 'decision') return 'decision';
    return type === 'proposal' && (justification?.prepares.length ?? 0) > 0 ? 're-proposal' : null;
  },
  messagesPerBlockMax: {
    ...{ proposal: 2, prepare: 8.5, commit: 7, 'round-change': 4.2 },
    ...{ decision: 1.7, 'status-request': 1.9, status: 3.2 },
  },
  ...{ heldMax: 60, digestBytesMax: 25_000 },
  reached: [
    ...ALWAYS,
    ...(['view change', 're-proposal', 'equivocation', 'decision', 'votes again after a wipe'] as const),
    ...(['lie refused', 'forged block refused', 'twins exposed'] as const),
    ...(['bad justification refused', 'false signature refused'] as const),
  ],
};

const RAFT: Words = {
  statementOf(message, to, from) {
    const { type, height, term, block, pre, granted } = message as Spoken;
    if (type === 'append') return { slot: `leader ${term}`, said: from, shared: true };
    if (type === 'ack') return { slot: `ack ${term} ${height}`, said: block, shared: true };
    return type === 'vote' && granted && !pre ? { slot: `vote ${term}`, said: String(to) } : null;
  },
  markOf(message) {
    const { type } = message as Spoken;
    if (type === 'vote-request') return 'election';
    return type === 'decision' ? 'decision' : null;
  },
  messagesPerBlockMax: {
    ...{ append: 20, ack: 6.5, 'append-reply': 53, decision: 2.7 },
    ...{ 'pre-vote': 0.42, 'vote-request': 0.27, vote: 1.5, 'status-request': 1.75, status: 2.6 },
  },
  ...{ heldMax: 30, digestBytesMax: 10_000 },
  reached: [...ALWAYS, 'election', 'votes again after a wipe'],
};

const PAXOS: Words = {
  statementOf(message) {
    const { type, height, round, block, proposer } = message as Spoken;
    if (type === 'promise') return { slot: `promise ${round}`, said: proposer };
    const isPhase2 = type === 'accept' || type === 'accepted';
    return isPhase2 ? { slot: `value ${height} ${round}`, said: block, shared: true } : null;
  },
  markOf(message) {
    const { type, fresh } = message as Spoken;
    if (type === 'prepare') return 'election';
    if (type === 'accept' && !fresh) return 're-proposal';
    return type === 'decision' ? 'decision' : null;
  },
  messagesPerBlockMax: {
    ...{ prepare: 0.47, promise: 0.65, accept: 1.6, accepted: 5.6, beat: 16.5, nack: 0.27 },
    ...{ decision: 1.75, 'status-request': 1.7, status: 2.3 },
  },
  ...{ heldMax: 30, digestBytesMax: 10_000 },
  reached: [...ALWAYS, 'election', 're-proposal', 'decision', 'votes again after a wipe'],
};

/** One validator: nobody to ask where its disk is lost. */
const SOLO: Words = {
  statementOf(message) {
    const { height, block } = message as Spoken;
    return { slot: `ack ${height}`, said: block, shared: true };
  },
  markOf: () => null,
  bearsWipe: false,
  shapes: [[1]],
  messagesPerBlockMax: { message: 1.6 },
  ...{ heldMax: 10, digestBytesMax: 1000 },
  reached: [...LOADED, ...RECOVERY],
};

/**
 * Nothing is said that binds; final is what is deep enough, for cuts as short as the depth bears (README.md in the engine's folder).
 * Little work, so that nonces are found for real at little cost, and long intervals, so that there are not more blocks than with others.
 */
const POW_INTERVAL_MS = 3000;
const POW_DEPTH = 16;
/** Less than the depth takes at the least: a search and a fork that were there before the cut, clocks, and the news of a better branch. */
const POW_SLACK_INTERVALS = 4;
const POW: Words = {
  statementOf: () => null,
  markOf: () => null,
  bearsWipe: false,
  params: { viewTimeoutMs: POW_INTERVAL_MS },
  own: { finalityDepth: POW_DEPTH, hardnessStartBits: 6, hardnessMinBits: 2 },
  apartMsMax: (POW_DEPTH / 2 - POW_SLACK_INTERVALS) * POW_INTERVAL_MS,
  shapes: [
    [1, 1, 1],
    [1, 1, 1, 1],
    [1, 1, 1, 1],
    [1, 1, 1, 1, 1],
  ],
  recoveryMsMax: 240_000,
  messagesPerBlockMax: { tip: 13 },
  ...{ heldMax: 100, digestBytesMax: 40_000 },
  reached: [...RECOVERY, ...(['fork', 'reorganisation', 'transactions returned to the mempool'] as const)],
};

/** An engine without words of its own is held to what holds for all: agreement, certificates, durability, progress. */
const PLAIN: Words = { statementOf: () => null, markOf: () => null, reached: ALWAYS };

const WORDS: ReadonlyMap<string, Words> = new Map([
  ['pbft', THREE_PHASES],
  ['pos', THREE_PHASES],
  ['raft', RAFT],
  ['paxos', PAXOS],
  ['pow', POW],
  ['solo', SOLO],
]);

/** Of messages of a type that has no bound of its own. */
const MESSAGES_PER_BLOCK_MAX = 100;

/** The types of messages of which there were too many. */
export const excessive = ({ messagesPerBlockMax }: Profile, perBlock: Readonly<Record<string, number>>): string[] =>
  Object.entries(perBlock)
    .filter(([type, count]) => count > (messagesPerBlockMax[type] ?? MESSAGES_PER_BLOCK_MAX))
    .map(([type]) => type);

export function profileOf(engine: string): Profile {
  const module = engines.get(engine);
  assert(module, `no engine of the name ${engine}`);
  const bears = module.spec.certificate?.trust ?? 'crash';
  return {
    ...{
      module,
      bears,
      bearsWipe: true,
      apartMsMax: Number.POSITIVE_INFINITY,
      shapes: bears === 'byzantine' ? BYZANTINE_SHAPES : CRASH_SHAPES,
    },
    ...{ params: {}, own: {} },
    // Views that ran high under faults, at the cap, and some slack.
    ...{ recoveryMsMax: 60_000, faultMs: 60_000, seeds: 200, messagesPerBlockMax: {} },
    ...{ heldMax: 1000, digestBytesMax: 100_000 },
    ...(WORDS.get(engine) ?? PLAIN),
  };
}
