/**
 * A script for one Raft core: facts go in by name, effects come out as short lines. Validators A, B, C (D, E where a test says
 * so) of equal power; genesis stands below block 1.
 */
import type { Config, ConsensusCore, Effect, Event, Params, Resume } from '../../../consensus/core.ts';
import { raft } from '../../../consensus/raft/core.ts';
import { type Ack, type Append, type Message, signed } from '../../../consensus/raft/messages.ts';
import { raftRecord } from '../../../consensus/raft/record.ts';
import { sealOf } from '../../../consensus/raft/term.ts';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import { CRASH_ACK, votePayload } from '../../../ledger/types/certificate.ts';
import { decodeOwn } from '../../../ledger/types/codec.ts';
import type { Header } from '../../../ledger/types/header.ts';
import type { BlockId, Millis, NodeId } from '../../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../../ledger/types/validator.ts';
import { CHAIN_ID, makeBlock, type SimulatedBlock } from '../../simulation/chain.ts';
import { keyOf, stubSign } from '../../simulation/keys.ts';
import { PARAMS } from './raft-network.ts';

export const [A, B, C, D, E] = [1, 2, 3, 4, 5].map(keyOf) as [NodeId, NodeId, NodeId, NodeId, NodeId];
export const setOf = (...keys: NodeId[]): ValidatorSet => keys.map(key => ({ key, power: 1 }));
export const THREE = setOf(A, B, C);
export const FIVE = setOf(A, B, C, D, E);
export const T0 = 1_000_000;
export const genesis = makeBlock(null, T0 - 1000, keyOf(0), []);

/** A block on `parent` that `leader` built in `term`; `n` tells one from another. */
export const blockBy = (
  leader: NodeId,
  term: number,
  parent: SimulatedBlock = genesis,
  n = 0,
  time = parent.header.time + 1,
) => makeBlock(parent, time, leader, [n], sealOf(term));

export interface Script {
  readonly core: ConsensusCore<Message>;
  readonly self: NodeId | null;
  now: Millis;
  /** All effects since the last look. */
  seen: Effect<Message>[];
  /** What a crash leaves. */
  readonly disk: { records: Map<string, Bytes>; blocks: Map<BlockId, Header> };
  readonly headers: Map<BlockId, Header>;
  readonly names: Map<string, string>;
}

export interface Setup {
  readonly self?: NodeId | null;
  readonly validators?: ValidatorSet;
  readonly params?: Partial<Params>;
  readonly head?: SimulatedBlock;
  readonly disk?: Script['disk'];
  readonly now?: Millis;
  /** Starts without a record, past any consent, where false. */
  readonly recorded?: boolean;
  readonly seed?: bigint;
  readonly names?: Script['names'];
}

/** A core that has started. By default B's, with an empty record. */
export function script(setup: Setup = {}): Script {
  const { self = B, validators = THREE, params = {}, head = genesis, now = T0, recorded = true, seed = 1n } = setup;
  const core = raft.create({ self, chainId: CHAIN_ID, params: { ...PARAMS, ...params }, seed });
  const disk = setup.disk ?? { records: new Map(), blocks: new Map() };
  const names = setup.names ?? new Map([A, B, C, D, E].map((key, i) => [key as string, 'ABCDE'[i]!]));
  const it: Script = { core, self, now, seen: [], disk, headers: new Map(disk.blocks), names };
  if (!names.has(head.id)) names.set(head.id, 'head');
  const resume: Resume = {
    records: new Map(disk.records),
    blocks: [...disk.blocks]
      .map(([id, header]) => ({ id, header }))
      .filter(each => each.header.height > head.header.height),
    head: head.id,
    header: head.header,
    final: head.header.height,
    config: { validators },
    votesLost: recorded && disk.records.size === 0,
  };
  take(it, core.start(now, resume));
  return it;
}

/** The first two blocks of a leader A, one on the other, and a script that calls them so. */
export const X = blockBy(A, 1);
export const Y = blockBy(A, 1, X);

export function named(it: Script): Script {
  it.names.set(X.id, 'X').set(Y.id, 'Y');
  return it;
}

/** The next life of what `before` left on its disk. */
export const restarted = (before: Script, setup: Setup = {}): Script =>
  script({ self: before.self, disk: before.disk, now: before.now, names: before.names, ...setup });

function take(it: Script, effects: readonly Effect<Message>[]): void {
  if (effects.findIndex(each => each.type === 'persist') > 0) {
    throw new Error('something left before what must be durable first');
  }
  for (const effect of effects) {
    it.seen.push(effect);
    if (effect.type !== 'persist') continue;
    for (const { key, value } of effect.writes) it.disk.records.set(key, value!);
    for (const id of effect.blocks) {
      const header = it.headers.get(id);
      if (header === undefined) throw new Error('persist of a block that is not held');
      it.disk.blocks.set(id, header);
    }
  }
  if (it.self === null) return;
  for (const effect of effects) if (effect.type === 'send' && effect.to === 'all') tell(it, it.self, effect.message);
}

export function feed(it: Script, event: Event<Message>): void {
  take(it, it.core.step(it.now, event));
}

/** A message, signed as it must be, and dropped as it would be. */
export function tell(it: Script, from: NodeId, message: Message): void {
  if (it.core.claims(message) === null) return;
  feed(it, { type: 'message', from, message, signature: stubSign(from, signed(CHAIN_ID, message)) });
}

export function hold(it: Script, block: SimulatedBlock, name?: string): void {
  if (name !== undefined) it.names.set(block.id, name);
  it.headers.set(block.id, block.header);
  feed(it, { type: 'block', id: block.id, header: block.header });
}

export const judge = (it: Script, block: SimulatedBlock, next: Config | null = { validators: THREE }): void =>
  feed(it, { type: 'validated', block: block.id, next });

export const apply = (it: Script, block: SimulatedBlock, validators: ValidatorSet = THREE): void =>
  feed(it, { type: 'applied', head: block.id, header: block.header, config: { validators } });

export function pass(it: Script, ms: number, timer?: string): void {
  it.now += ms;
  if (timer !== undefined) feed(it, { type: 'timeout', timer });
}

export const append = (term: number, entries: readonly SimulatedBlock[], head = genesis, beat = false): Append => ({
  ...{ type: 'append', term, height: head.header.height, block: head.id, beat },
  entries: entries.map(each => each.id),
});

export const ack = (term: number, block: SimulatedBlock): Ack => ({
  ...{ type: 'ack', term, height: block.header.height, block: block.id },
});

export const decision = (term: number, block: SimulatedBlock, signers: readonly NodeId[]): Message => ({
  ...{ type: 'decision', term, height: block.header.height, block: block.id },
  signatures: signers.map(signer => ({
    signer,
    signature: stubSign(signer, votePayload(CRASH_ACK.tag, CHAIN_ID, block.header.height, term, block.id)),
  })),
});

export const preVote = (term: number, lastTerm = 0, lastHeight = 0): Message => ({
  ...{ type: 'pre-vote', term, lastTerm, lastHeight, height: 0 },
});

export const voteRequest = (term: number, lastTerm = 0, lastHeight = 0, transfer = false): Message => ({
  ...{ type: 'vote-request', term, lastTerm, lastHeight, transfer },
});

export const vote = (term: number, granted = true, pre = false): Message => ({
  type: 'vote',
  term,
  pre,
  granted,
  height: 0,
});

/** Takes in a leader's block and has it found valid. */
export function replicate(
  it: Script,
  leader: NodeId,
  term: number,
  blocks: readonly SimulatedBlock[],
  head = genesis,
): void {
  tell(it, leader, append(term, blocks, head));
  for (const block of blocks) {
    hold(it, block);
    judge(it, block);
  }
}

/** Wins the election of the next term with the votes of `others`. */
export function elect(it: Script, others: readonly NodeId[] = [A]): number {
  const { view } = it.core.status();
  pass(it, 20_000, 'election');
  for (const pre of [true, false]) for (const other of others) tell(it, other, vote(view + 1, true, pre));
  return view + 1;
}

/** The leader is asked for a block, and gives this one. */
export function build(it: Script, block: SimulatedBlock, name: string): void {
  it.names.set(block.id, name);
  it.headers.set(block.id, block.header);
  const { height, view } = { height: block.header.height, view: it.core.status().view };
  feed(it, { type: 'built', job: `${height}/${view}`, block });
}

/** What left since the last look, as one line for each effect; no timers. */
export function look(it: Script): string[] {
  const lines = it.seen.filter(each => each.type !== 'timer').map(each => line(it, each));
  it.seen = [];
  return lines;
}

/** What was said since the last look, and no beats. */
export const said = (it: Script): string[] =>
  look(it).filter(each => !/^(persist|ask|reply|append .* beat)/.test(each));

/** The last delay that a timer was set to since the last look. */
export function delayOf(it: Script, timer: string): Millis | null | undefined {
  return it.seen.flatMap(each => (each.type === 'timer' && each.timer === timer ? [each.after] : [])).at(-1);
}

function line(it: Script, effect: Effect<Message>): string {
  const name = (id: string): string => it.names.get(id) ?? id.slice(0, 6);
  const list = (ids: readonly string[]): string => ids.map(name).join('');
  switch (effect.type) {
    case 'persist': {
      const { term, vote: to, log } = decodeOwn(raftRecord, effect.writes[0]!.value!);
      return `persist ${term} ${to === null ? '-' : name(to)} [${list(log)}] +${list(effect.blocks)}`;
    }
    case 'send':
      return `${words(name, list, effect.message)}${effect.to === 'all' ? '' : ` to ${list(effect.to)}`}`;
    case 'build':
      return `build ${effect.job} on ${name(effect.parent)}`;
    case 'fetch':
      return `fetch ${name(effect.block)} from ${list(effect.from)}`;
    case 'sync':
      return `sync ${effect.height} from ${list(effect.from)}`;
    case 'adopt': {
      const { view = 0, signatures = [] } = effect.certificate ?? {};
      return `adopt ${name(effect.head)} in ${view} by ${signatures.map(each => each.index).join('')}`;
    }
    case 'validate':
    case 'publish':
      return `${effect.type} ${name(effect.block)}`;
    default:
      return effect.type;
  }
}

function words(name: (id: string) => string, list: (ids: readonly string[]) => string, message: Message): string {
  switch (message.type) {
    case 'pre-vote':
    case 'vote-request': {
      const how = message.type === 'vote-request' && message.transfer ? ' transfer' : '';
      return `${message.type} ${message.term} (${message.lastTerm} ${message.lastHeight})${how}`;
    }
    case 'vote':
      return `${message.pre ? 'pre-' : ''}vote ${message.term} ${message.granted ? 'yes' : 'no'}`;
    case 'append':
      return `append ${message.term} ${name(message.block)} [${list(message.entries)}]${message.beat ? ' beat' : ''}`;
    case 'append-reply':
      return `reply ${message.term} at ${message.height}`;
    case 'ack':
      return `ack ${name(message.block)} in ${message.term}`;
    case 'decision':
      return `decision ${name(message.block)} in ${message.term} by ${list(message.signatures.map(each => each.signer))}`;
    case 'timeout-now':
      return `timeout-now ${message.term}`;
    case 'status-request':
      return 'ask';
    case 'status':
      return `status ${message.height}`;
  }
}
