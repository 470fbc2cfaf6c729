/**
 * One validator, for development: whatever it builds is final. No paper; the simplest engine that keeps the contract.
 *
 * Roles      the network's only validator decides, everyone else observes. A set of more than one decides nothing.
 * Messages   ack: the validator holds this block and calls it final. Its signature is the certificate.
 * Quorum     more than half of the power, which is the one validator's own.
 * Persisted  before an ack: the block, and that it is the one of its height. One sync for a block.
 *
 * Safety. A block of a height is acknowledged after the record that names it, and no other is built there while the record
 * stands: across restarts too. Whoever loses the validator's disk loses that, and there is nobody to ask.
 */
import { assert } from '../../ledger/types/assert.ts';
import { EMPTY } from '../../ledger/types/bytes.ts';
import { type Certificate, CRASH_ACK, votePayload } from '../../ledger/types/certificate.ts';
import { type Codec, decodeOwn, encode, struct } from '../../ledger/types/codec.ts';
import type { Header } from '../../ledger/types/header.ts';
import { type BlockId, type Height, hash, height, type Millis, type NodeId } from '../../ledger/types/ids.ts';
import type { ConsensusCore, CoreModule, Params, Resume, Status } from '../core.ts';
import { type Asking, coreOf, type EventOf, noteWork, setTimer, silence } from '../machine.ts';
import { powerOf } from '../quorum.ts';

export interface Ack {
  readonly height: Height;
  readonly block: BlockId;
}

const ack: Codec<Ack> = struct({ height, block: hash });

const VALIDATORS_MAX = 1;

export const solo: CoreModule<Ack> = {
  spec: { name: 'solo', certificate: CRASH_ACK, messageBytesMax: 64, validatorsMax: VALIDATORS_MAX },
  codec: ack,
  signed: (chainId, { height, block }) => votePayload(CRASH_ACK.tag, chainId, height, 0, block),
  create: deps => createCore(deps),
};

const RECORD_KEY = 'ack';

interface State extends Asking<Ack> {
  readonly self: NodeId | null;
  readonly params: Params;
  head: { readonly id: BlockId; readonly header: Header };
  validators: Resume['config']['validators'];
  adoptedAt: Millis;
  work: Millis | null;
  /** What is acknowledged above the head, by this node's own record or by the validator's word. */
  open: Ack | null;
  certificate: Certificate | null;
  held: { readonly id: BlockId; readonly header: Header } | null;
  stage: 'waiting' | 'building' | 'open' | 'fetching' | 'validating' | 'adopting';
  jobs: number;
}

interface Deps {
  readonly self: NodeId | null;
  readonly params: Params;
}

const createCore = ({ self, params }: Deps): ConsensusCore<Ack> =>
  coreOf<State, Ack>({
    initial: (now, resume) => initial(self, params, now, resume),
    begin: reopen,
    on: {
      message: onAck,
      work: noteWork,
      block: onBlock,
      built: onBuilt,
      validated: onValidated,
      applied: onApplied,
    },
    timeouts: {},
    advance(state) {
      build(state);
      follow(state);
      adopt(state);
    },
    writes: ({ open }) => [{ key: RECORD_KEY, value: open && encode(ack, open) }],
    claims: () => [],
    status,
    digest,
  });

function initial(self: NodeId | null, params: Params, now: Millis, { head, header, config }: Resume): State {
  return {
    ...silence<Ack>(now),
    ...{ self, params, head: { id: head, header }, validators: config.validators, adoptedAt: now },
    ...{ work: null, open: null, certificate: null, held: null, stage: 'waiting', jobs: 0 },
  };
}

const deciderOf = ({ validators }: State): NodeId | null =>
  validators.length === VALIDATORS_MAX ? validators[0]!.key : null;

const decides = (state: State): boolean => state.self !== null && deciderOf(state) === state.self;

/** Says again what was acknowledged last, if it is not final here yet. */
function reopen(state: State, { records, blocks }: Resume): void {
  const stored = records.get(RECORD_KEY);
  const last = stored === undefined ? null : decodeOwn(ack, stored);
  if (!decides(state) || last?.height !== state.head.header.height + 1) return;
  const block = blocks.find(each => each.id === last.block);
  assert(block, 'a block was acknowledged that is not on disk');
  state.held = block;
  state.open = last;
  // The acknowledgement comes back before the verdict: nothing is adopted that the ledger has not executed in this life.
  state.stage = 'validating';
  state.effects.push({ type: 'validate', block: last.block });
  acknowledge(state, last);
}

function acknowledge({ effects }: State, message: Ack): void {
  effects.push({ type: 'publish', block: message.block, to: 'all' }, { type: 'send', to: 'all', message });
}

function onBlock(state: State, { id, header }: EventOf<Ack, 'block'>): void {
  if (header.height === state.head.header.height + 1) state.held = { id, header };
}

function onAck(state: State, { from, message, signature }: EventOf<Ack, 'message'>): void {
  const next = state.head.header.height + 1;
  if (from !== deciderOf(state) || message.height < next) return;
  if (message.height > next) {
    // It is the decision, and is not said again: short of its own height the node would stay one block behind.
    state.effects.push({ type: 'sync', height: message.height, from: [from] });
    return;
  }
  if (state.certificate !== null) return;
  const { height, block } = message;
  assert(!decides(state) || state.open?.block === block, 'another node acknowledges in the name of this one');
  const signatures = [{ index: 0, signature }];
  state.open = message;
  state.certificate = { height, block, view: 0, phase: CRASH_ACK.phase, signatures };
}

function onBuilt(state: State, { job, block }: EventOf<Ack, 'built'>): void {
  if (state.stage !== 'building' || job !== String(state.jobs)) return;
  if (block === null) {
    state.stage = 'waiting';
    state.adoptedAt = state.now;
    return;
  }
  const message = { height: block.header.height, block: block.id };
  state.held = block;
  state.open = message;
  state.stage = 'open';
  state.promised = true;
  state.blocks.push(block.id);
  acknowledge(state, message);
}

function onValidated(state: State, { block, next }: EventOf<Ack, 'validated'>): void {
  if (state.open?.block !== block) return;
  assert(next !== null, 'the validator acknowledged a block that is invalid here');
  if (state.stage === 'validating') state.stage = 'open';
}

function onApplied(state: State, { head, header, config }: EventOf<Ack, 'applied'>): void {
  if (header.height <= state.head.header.height) return;
  if (state.stage === 'building') state.effects.push({ type: 'cancel', job: String(state.jobs) });
  state.head = { id: head, header };
  state.validators = config.validators;
  state.adoptedAt = state.now;
  state.open = null;
  state.certificate = null;
  state.stage = 'waiting';
  if (state.held !== null && state.held.header.height <= header.height) state.held = null;
}

function build(state: State): void {
  const { params, work, adoptedAt, now, head } = state;
  if (!decides(state) || state.stage !== 'waiting') return;
  const due = work === null ? adoptedAt + params.heartbeatMs : Math.max(work, adoptedAt + params.blockIntervalMinMs);
  if (now < due) {
    setTimer(state, 'build', due);
    return;
  }
  state.stage = 'building';
  state.effects.push({ type: 'build', job: String(++state.jobs), parent: head.id, seal: EMPTY, work: null });
}

/** An observer fetches what was acknowledged and executes it. */
function follow(state: State): void {
  const { certificate, held, stage } = state;
  if (certificate === null || decides(state)) return;
  const holds = held?.id === certificate.block;
  if (stage === 'waiting' && !holds) {
    state.stage = 'fetching';
    state.effects.push({ type: 'fetch', block: certificate.block, from: state.validators.map(each => each.key) });
  } else if ((stage === 'waiting' || stage === 'fetching') && holds) {
    state.stage = 'validating';
    state.effects.push({ type: 'validate', block: certificate.block });
  }
}

function adopt(state: State): void {
  const { stage, certificate, validators } = state;
  if (stage !== 'open' || certificate === null) return;
  const total = powerOf(validators, () => true);
  assert(powerOf(validators, key => key === deciderOf(state)) >= CRASH_ACK.quorum(total), 'no quorum');
  state.stage = 'adopting';
  state.effects.push({ type: 'adopt', head: certificate.block, final: certificate.height, certificate });
}

function status(state: State): Status {
  const silent = { view: 0, missing: [], viewChanges: 0, equivocations: 0 };
  const leader = deciderOf(state);
  return {
    ...silent,
    height: state.head.header.height + 1,
    phase: leader === null ? 'stalled: solo decides with one validator only' : state.stage,
    leader,
    voting: decides(state),
    held: state.held === null ? 0 : 1,
  };
}

const digested = struct<{ head: BlockId; open: BlockId; jobs: Height; stage: Height }>({
  ...{ head: hash, open: hash, jobs: height, stage: height },
});
const STAGES: readonly State['stage'][] = ['waiting', 'building', 'open', 'fetching', 'validating', 'adopting'];

const digest = ({ head, open, jobs, stage }: State) =>
  encode(digested, { head: head.id, open: open?.block ?? head.id, jobs, stage: STAGES.indexOf(stage) });
