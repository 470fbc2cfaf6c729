/**
 * A script for one core: facts go in by name, effects come out as short lines. Four validators A, B, C, D of equal power in
 * this order; genesis stands before A, so that A leads (1, 0), B leads (1, 1), and so on.
 */

import { type Message, signed, TAGS } from '../../../consensus/bft/messages.ts';
import { roundChangePayload } from '../../../consensus/bft/statement.ts';
import type { SignerSignature } from '../../../consensus/certificate.ts';
import type { ConsensusCore, CoreModule, Effect, Event, Params, Resume } from '../../../consensus/core.ts';
import { pbft } from '../../../consensus/pbft/core.ts';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import { votePayload } from '../../../ledger/types/certificate.ts';
import type { Header } from '../../../ledger/types/header.ts';
import type { BlockId, Millis, NodeId } from '../../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../../ledger/types/validator.ts';
import { CHAIN_ID, makeBlock, type SimulatedBlock } from '../../simulation/chain.ts';
import { keyOf, stubSign } from '../../simulation/keys.ts';
import { PARAMS } from '../../simulation/world.ts';

export const [A, B, C, D] = [1, 2, 3, 4].map(keyOf) as [NodeId, NodeId, NodeId, NodeId];
export const FOUR: ValidatorSet = [A, B, C, D].map(key => ({ key, power: 1 }));
export const T0 = 1_000_000;
export const genesis = makeBlock(null, T0 - 1000, keyOf(0), []);

/** A block on `parent` by `proposer`; `n` tells one from another. */
export const blockBy = (proposer: NodeId, n = 0, parent: SimulatedBlock = genesis, time = parent.header.time + 1) =>
  makeBlock(parent, time, proposer, [n]);

export interface Script {
  readonly core: ConsensusCore<Message>;
  readonly self: NodeId | null;
  now: Millis;
  /** All effects since the last look. */
  seen: Effect<Message>[];
  /** What a crash leaves. */
  readonly disk: { records: Map<string, Bytes>; blocks: Map<BlockId, Header> };
  readonly headers: Map<BlockId, Header>;
  /** Whether sends to all come back at once. */
  readonly loopback: boolean;
  readonly names: Map<string, string>;
}

export interface Setup {
  /** By default pbft. */
  readonly engine?: CoreModule<Message>;
  readonly self?: NodeId | null;
  readonly validators?: ValidatorSet;
  readonly params?: Partial<Params>;
  readonly head?: SimulatedBlock;
  readonly disk?: Script['disk'];
  readonly votesLost?: boolean;
  readonly now?: Millis;
  readonly loopback?: boolean;
  /** Starts without a vote record where false; by default it has one and may vote at once. */
  readonly recorded?: boolean;
}

/** A core that has started. By default B's, with a vote record. */
export function script(setup: Setup = {}): Script {
  const {
    engine = pbft,
    self = B,
    validators = FOUR,
    params = {},
    head = genesis,
    now = T0,
    loopback = true,
    recorded = true,
  } = setup;
  const core = engine.create({ self, chainId: CHAIN_ID, params: { ...PARAMS, ...params }, seed: 1n });
  const disk = setup.disk ?? { records: new Map(), blocks: new Map() };
  const names = new Map([A, B, C, D].map((key, i) => [key as string, 'ABCD'[i]!]));
  const headers = new Map([[head.id, head.header]]);
  const it: Script = { core, self, now, seen: [], disk, headers, loopback, names };
  names.set(head.id, 'head');
  const resume: Resume = {
    records: new Map(disk.records),
    blocks: [...disk.blocks].map(([id, header]) => ({ id, header })),
    head: head.id,
    header: head.header,
    final: head.header.height,
    config: { validators },
    votesLost: setup.votesLost ?? (recorded && disk.records.size === 0),
  };
  take(it, core.start(now, resume));
  return it;
}

function take(it: Script, effects: readonly Effect<Message>[]): void {
  const persist = effects.findIndex(each => each.type === 'persist');
  if (persist > 0) throw new Error('something left before what must be durable first');
  for (const effect of effects) {
    it.seen.push(effect);
    if (effect.type === 'persist') {
      for (const { key, value } of effect.writes) if (value !== null) it.disk.records.set(key, value);
      for (const id of effect.blocks) {
        const header = it.headers.get(id);
        if (header === undefined) throw new Error('persist of a block that is not held');
        it.disk.blocks.set(id, header);
      }
    }
  }
  if (!it.loopback || it.self === null) return;
  for (const effect of effects) if (effect.type === 'send' && effect.to === 'all') tell(it, it.self, effect.message);
}

export function feed(it: Script, event: Event<Message>): void {
  take(it, it.core.step(it.now, event));
}

/** A message from a validator, signed as it must be. */
export function tell(it: Script, from: NodeId, message: Message): void {
  const bytes = signed(CHAIN_ID, message);
  feed(it, { type: 'message', from, message, signature: stubSign(from, bytes) });
}

export function hold(it: Script, block: SimulatedBlock, name?: string): void {
  if (name !== undefined) it.names.set(block.id, name);
  it.headers.set(block.id, block.header);
  feed(it, { type: 'block', id: block.id, header: block.header });
}

export const judge = (it: Script, block: SimulatedBlock, valid = true, validators: ValidatorSet = FOUR): void =>
  feed(it, { type: 'validated', block: block.id, next: valid ? { validators } : null });

export function apply(it: Script, block: SimulatedBlock, validators: ValidatorSet = FOUR): void {
  feed(it, { type: 'applied', head: block.id, header: block.header, config: { validators } });
}

export function pass(it: Script, ms: number, timer?: string): void {
  it.now += ms;
  if (timer !== undefined) feed(it, { type: 'timeout', timer });
}

export const proposal = (block: SimulatedBlock, view = 0, justification: Justified = null): Message => ({
  type: 'proposal',
  height: block.header.height,
  view,
  block: block.id,
  justification,
});

type Justified = Extract<Message, { type: 'proposal' }>['justification'];

export const vote = (type: 'prepare' | 'commit', block: SimulatedBlock, view = 0): Message => ({
  type,
  height: block.header.height,
  view,
  block: block.id,
});

/** The signatures of some validators under one vote. */
export const signatures = (
  type: 'prepare' | 'commit',
  block: SimulatedBlock,
  view: number,
  signers: readonly NodeId[],
): readonly SignerSignature[] =>
  signers.map(signer => ({
    signer,
    signature: stubSign(signer, votePayload(TAGS[type], CHAIN_ID, block.header.height, view, block.id)),
  }));

export const preparedBy = (block: SimulatedBlock, view: number, signers: readonly NodeId[]) => ({
  view,
  block: block.id,
  signatures: signatures('prepare', block, view, signers),
});

export const change = (view: number, prepared: ReturnType<typeof preparedBy> | null = null, height = 1): Message => ({
  type: 'round-change',
  height,
  view,
  prepared,
});

/** A justification: round changes of `signers`, each with what it names as prepared, and prepares for it. */
export function justify(
  view: number,
  signers: ReadonlyMap<NodeId, { view: number; block: SimulatedBlock } | null>,
  prepares: readonly SignerSignature[] = [],
  height = 1,
): NonNullable<Justified> {
  const roundChanges = [...signers].map(([signer, named]) => {
    const prepared = named && { view: named.view, block: named.block.id };
    return {
      signer,
      prepared,
      signature: stubSign(signer, roundChangePayload(TAGS, CHAIN_ID, height, view, prepared)),
    };
  });
  return { roundChanges, prepares };
}

/** What left since the last look, as one line for each effect; timers only where asked for. */
export function look(it: Script, timers = false): string[] {
  const lines = it.seen.filter(each => timers || each.type !== 'timer').map(each => line(it, each));
  it.seen = [];
  return lines;
}

/** What was said since the last look. */
export function said(it: Script): string[] {
  return look(it).filter(each => !each.startsWith('persist') && !each.startsWith('ask'));
}

function line(it: Script, effect: Effect<Message>): string {
  const name = (id: string): string => it.names.get(id) ?? id.slice(0, 6);
  const list = (ids: readonly string[]): string => ids.map(name).join('');
  switch (effect.type) {
    case 'persist':
      return `persist ${list(effect.blocks)}`.trim();
    case 'send': {
      const to = effect.to === 'all' ? '' : ` to ${list(effect.to)}`;
      return messageLine(effect.message, name) + to;
    }
    case 'timer':
      return `timer ${effect.timer} ${effect.after ?? 'off'}`;
    case 'build':
      return `build ${effect.job}`;
    case 'cancel':
      return `cancel ${effect.job}`;
    case 'validate':
      return `validate ${name(effect.block)}`;
    case 'fetch':
      return `fetch ${name(effect.block)} from ${list(effect.from)}`;
    case 'publish':
      return `publish ${name(effect.block)}`;
    case 'sync':
      return `sync to ${effect.height} from ${list(effect.from)}`;
    case 'adopt': {
      const signers = effect.certificate?.signatures.map(each => each.index).join() ?? 'none';
      return `adopt ${name(effect.head)} at ${effect.final} by ${signers}`;
    }
    case 'report':
      return `report ${name(effect.evidence.offender)} ${effect.evidence.phase} in view ${effect.evidence.view}`;
  }
}

function messageLine(message: Message, name: (id: string) => string): string {
  switch (message.type) {
    case 'status-request':
      return `ask at ${message.height}`;
    case 'status':
      return `status ${message.height}${message.recorded ? '' : ' without record'}`;
    case 'round-change': {
      const { prepared } = message;
      const had = prepared === null ? '' : `, prepared ${name(prepared.block)} in ${prepared.view}`;
      return `round-change to ${message.view}${had}`;
    }
    default:
      return `${message.type} ${name(message.block)} in ${message.view}`;
  }
}
