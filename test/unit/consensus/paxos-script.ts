/**
 * A script for one Paxos core: facts go in by name, effects come out as short lines. Validators A, B, C of equal power; D and
 * E where a test takes more.
 */
import type { ConsensusCore, Effect, Event, Params, Resume } from '../../../consensus/core.ts';
import { paxos } from '../../../consensus/paxos/core.ts';
import { type Message, signed } from '../../../consensus/paxos/messages.ts';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import { CRASH_ACK, votePayload } from '../../../ledger/types/certificate.ts';
import type { Header } from '../../../ledger/types/header.ts';
import type { BlockId, Millis, NodeId } from '../../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../../ledger/types/validator.ts';
import { CHAIN_ID, makeBlock, type SimulatedBlock } from '../../simulation/chain.ts';
import { keyOf, stubSign } from '../../simulation/keys.ts';

export const PARAMS: Params = {
  viewTimeoutMs: 1000,
  viewTimeoutMsMax: 8000,
  blockIntervalMinMs: 20,
  heartbeatMs: 10_000,
  driftMs: 500,
};

const KEYS = [1, 2, 3, 4, 5].map(keyOf) as [NodeId, NodeId, NodeId, NodeId, NodeId];
export const [A, B, C, D, E] = KEYS;
export const setOf = (...keys: readonly NodeId[]): ValidatorSet => keys.map(key => ({ key, power: 1 }));
export const THREE = setOf(A, B, C);
export const T0 = 1_000_000;
export const genesis = makeBlock(null, T0 - 1000, keyOf(0), []);

/** A block on `parent` by `proposer`; `n` tells one from another. */
export const blockBy = (proposer: NodeId, n = 0, parent: SimulatedBlock = genesis, time = parent.header.time + 1) =>
  makeBlock(parent, time, proposer, [n]);

export interface Script {
  readonly core: ConsensusCore<Message>;
  readonly self: NodeId | null;
  readonly validators: ValidatorSet;
  now: Millis;
  /** All effects since the last look. */
  seen: Effect<Message>[];
  /** When each timer fires. */
  readonly timers: Map<string, Millis>;
  /** What a crash leaves. */
  readonly disk: { records: Map<string, Bytes>; blocks: Map<BlockId, Header> };
  readonly headers: Map<BlockId, Header>;
  readonly names: Map<string, string>;
}

export interface Setup {
  readonly self?: NodeId | null;
  readonly validators?: ValidatorSet;
  readonly head?: SimulatedBlock;
  readonly disk?: Script['disk'];
  readonly now?: Millis;
  /** Starts without a record where false; by default it has one and may take part at once. */
  readonly recorded?: boolean;
  readonly seed?: bigint;
}

/** A core that has started. By default B's, with a record. */
export function script(setup: Setup = {}): Script {
  const { self = B, validators = THREE, head = genesis, now = T0, recorded = true, seed = 1n } = setup;
  const core = paxos.create({ self, chainId: CHAIN_ID, params: PARAMS, seed });
  const disk = setup.disk ?? { records: new Map(), blocks: new Map() };
  const names = new Map(KEYS.map((key, i) => [key as string, 'ABCDE'[i]!]));
  const headers = new Map([[head.id, head.header]]);
  const it: Script = { core, self, validators, now, seen: [], timers: new Map(), disk, headers, names };
  names.set(head.id, 'head');
  const resume: Resume = {
    records: new Map(disk.records),
    blocks: [...disk.blocks].map(([id, header]) => ({ id, header })),
    head: head.id,
    header: head.header,
    final: head.header.height,
    config: { validators },
    votesLost: recorded && disk.records.size === 0,
  };
  take(it, core.start(now, resume));
  return it;
}

/** The same node after a crash, with what was durable. */
export function restarted(it: Script, head = genesis): Script {
  const { self, validators, disk, now } = it;
  const next = script({ self, validators, disk, now: now + 100, head });
  for (const [id, name] of it.names) next.names.set(id, name);
  for (const [id, header] of it.headers) next.headers.set(id, header);
  return next;
}

function take(it: Script, effects: readonly Effect<Message>[]): void {
  if (effects.findIndex(each => each.type === 'persist') > 0) throw new Error('something left before its persist');
  for (const effect of effects) {
    it.seen.push(effect);
    if (effect.type === 'timer') {
      if (effect.after === null) it.timers.delete(effect.timer);
      else it.timers.set(effect.timer, it.now + effect.after);
    }
    if (effect.type !== 'persist') continue;
    for (const { key, value } of effect.writes) if (value !== null) it.disk.records.set(key, value);
    for (const id of effect.blocks) it.disk.blocks.set(id, it.headers.get(id)!);
  }
  if (it.self === null) return;
  for (const effect of effects) if (effect.type === 'send' && effect.to === 'all') tell(it, it.self, effect.message);
}

export function feed(it: Script, event: Event<Message>): void {
  take(it, it.core.step(it.now, event));
}

/** A message from a validator, signed as it must be. */
export function tell(it: Script, from: NodeId, message: Message): void {
  feed(it, { type: 'message', from, message, signature: stubSign(from, signed(CHAIN_ID, message)) });
}

export function hold(it: Script, block: SimulatedBlock, name?: string): void {
  if (name !== undefined) it.names.set(block.id, name);
  it.headers.set(block.id, block.header);
  feed(it, { type: 'block', id: block.id, header: block.header });
}

export const judge = (it: Script, block: SimulatedBlock, valid = true): void =>
  feed(it, { type: 'validated', block: block.id, next: valid ? { validators: it.validators } : null });

export function apply(it: Script, block: SimulatedBlock, validators = it.validators): void {
  feed(it, { type: 'applied', head: block.id, header: block.header, config: { validators } });
}

/** Goes on by `ms`, with every timer that fires on the way. */
export function pass(it: Script, ms: number): void {
  const until = it.now + ms;
  for (;;) {
    const [timer, at] = [...it.timers].reduce((a, b) => (b[1] < a[1] ? b : a), ['', Number.POSITIVE_INFINITY] as const);
    if (at > until) break;
    it.now = Math.max(it.now, at);
    it.timers.delete(timer);
    feed(it, { type: 'timeout', timer });
  }
  it.now = until;
}

/** Goes on until that timer has fired. */
export function until(it: Script, timer: string): void {
  pass(it, it.timers.get(timer)! - it.now);
}

/** Gives this node something to propose and lets it begin a ballot. */
export function candidate(it: Script): void {
  feed(it, { type: 'work', since: it.now });
  until(it, 'election');
}

export const prepare = (round: number, height = 1): Message => ({ type: 'prepare', height, round });

export const promise = (
  round: number,
  proposer: NodeId,
  accepted: readonly [number, SimulatedBlock] | null = null,
  height = 1,
): Message => ({
  type: 'promise',
  height,
  round,
  proposer,
  accepted: accepted && { round: accepted[0], block: accepted[1].id },
  final: height - 1,
});

export const accept = (round: number, { id, header }: SimulatedBlock, fresh = true): Message => ({
  type: 'accept',
  height: header.height,
  round,
  block: id,
  fresh,
});

export const accepted = (round: number, { id, header }: SimulatedBlock): Message => ({
  type: 'accepted',
  height: header.height,
  round,
  block: id,
});

export const beat = (round: number, height = 1): Message => ({ type: 'beat', height, round });

export function decision(round: number, { id, header }: SimulatedBlock, signers: readonly NodeId[]): Message {
  const bytes = votePayload(CRASH_ACK.tag, CHAIN_ID, header.height, round, id);
  const signatures = signers.map(signer => ({ signer, signature: stubSign(signer, bytes) }));
  return { type: 'decision', height: header.height, view: round, block: id, signatures };
}

/** What left since the last look, as one line for each effect but timers. */
export function look(it: Script): string[] {
  const lines = it.seen.filter(each => each.type !== 'timer').map(each => line(it, each));
  it.seen = [];
  return lines;
}

/** What was said since the last look, beside questions for the status. */
export const said = (it: Script): string[] =>
  look(it).filter(each => !each.startsWith('persist') && !each.startsWith('ask'));

function line(it: Script, effect: Effect<Message>): string {
  const name = (id: string): string => it.names.get(id) ?? id.slice(0, 6);
  const list = (ids: readonly string[]): string => ids.map(name).join('');
  switch (effect.type) {
    case 'persist':
      return `persist ${list(effect.blocks)}`.trim();
    case 'send':
      return messageLine(effect.message, name) + (effect.to === 'all' ? '' : ` to ${list(effect.to)}`);
    case 'timer':
      return `timer ${effect.timer} ${effect.after ?? 'off'}`;
    case 'build':
    case 'cancel':
      return `${effect.type} ${effect.job}`;
    case 'validate':
    case 'publish':
      return `${effect.type} ${name(effect.block)}`;
    case 'fetch':
      return `fetch ${name(effect.block)} from ${list(effect.from)}`;
    case 'sync':
      return `sync to ${effect.height} from ${list(effect.from)}`;
    case 'adopt': {
      const { signatures, view } = effect.certificate!;
      return `adopt ${name(effect.head)} in ${view} by ${signatures.map(each => each.index).join()}`;
    }
    case 'report':
      return `report ${name(effect.evidence.offender)} ${effect.evidence.phase} in ${effect.evidence.view}`;
  }
}

function messageLine(message: Message, name: (id: string) => string): string {
  switch (message.type) {
    case 'prepare':
    case 'beat':
      return `${message.type} ${message.round} at ${message.height}`;
    case 'promise': {
      const had = message.accepted === null ? '' : ` with ${name(message.accepted.block)} in ${message.accepted.round}`;
      return `promise ${message.round}${had}`;
    }
    case 'nack':
      return `nack ${message.round}, promised ${message.promised}`;
    case 'accept':
      return `accept ${name(message.block)} in ${message.round}${message.fresh ? '' : ' again'}`;
    case 'accepted':
      return `accepted ${name(message.block)} in ${message.round}`;
    case 'decision':
      return `decision ${name(message.block)} in ${message.view}`;
    case 'status-request':
      return `ask at ${message.height}`;
    case 'status':
      return `status ${message.height}${message.recorded ? '' : ' without record'}`;
  }
}
