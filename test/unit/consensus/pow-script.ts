/**
 * A script for one proof-of-work core: facts go in by name, effects come out as short lines. Four validators A, B, C, D. Nobody
 * searches here: an id that meets its target begins with ten zeros, whatever the nonce.
 */
import { sha256Hex } from '#crypto';
import type { ConsensusCore, Effect, Event, OwnParams, Params, Resume } from '../../../consensus/core.ts';
import { pow } from '../../../consensus/pow/core.ts';
import type { Message } from '../../../consensus/pow/messages.ts';
import { EMPTY_ROOT } from '../../../consensus/pow/mining.ts';
import { type PowParams, powParams } from '../../../consensus/pow/params.ts';
import { type Bytes, EMPTY, utf8 } from '../../../ledger/types/bytes.ts';
import { encode } from '../../../ledger/types/codec.ts';
import { HEADER_VERSION, type Header, header as headerCodec } from '../../../ledger/types/header.ts';
import type { BlockId, ChainId, Hash, Millis, NodeId } from '../../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../../ledger/types/validator.ts';
import { encodeSeal, type Seal, sealAbove, workAt } from '../../../ledger/types/work/seal.ts';
import { keyOf } from '../../simulation/keys.ts';

export const CHAIN_ID = 'pow-test' as ChainId;
export const [A, B, C, D] = [1, 2, 3, 4].map(keyOf) as [NodeId, NodeId, NodeId, NodeId];
export const FOUR: ValidatorSet = [A, B, C, D].map(key => ({ key, power: 1 }));
export const T0 = 1_000_000;
export const PARAMS: Params = {
  viewTimeoutMs: 1000,
  viewTimeoutMsMax: 8000,
  blockIntervalMinMs: 20,
  heartbeatMs: 10_000,
  driftMs: 500,
};
/** With the engine's own as they are where genesis says nothing. */
export const POW_PARAMS = powParams(PARAMS);
const ZERO = '0'.repeat(64) as Hash;

export interface Mined {
  readonly id: BlockId;
  readonly header: Header;
}

export interface Making {
  readonly proposer?: NodeId;
  /** After the parent's. */
  readonly afterMs?: Millis;
  /** Tells one block from another. */
  readonly n?: number;
  readonly empty?: boolean;
  readonly seal?: Partial<Seal>;
  /** Whether the id meets the target. */
  readonly found?: boolean;
  readonly change?: Partial<Header>;
  readonly params?: PowParams;
}

/** The id of a header under a hash that finds every block at once, or never. */
export function idOf(header: Header, found = true): BlockId {
  const digest = sha256Hex(encode(headerCodec, header));
  return `${found ? '0000000000' : 'ffffffffff'}${digest.slice(10)}` as BlockId;
}

export function withSeal(parent: Mined | null, seal: Bytes, time: Millis, making: Making = {}): Mined {
  const { proposer = A, n = 0, empty = false, change = {}, found = true } = making;
  const header: Header = {
    version: HEADER_VERSION,
    chainId: CHAIN_ID,
    height: parent === null ? 0 : parent.header.height + 1,
    parent: parent?.id ?? ZERO,
    time,
    proposer,
    transactionsRoot: empty ? EMPTY_ROOT : sha256Hex(utf8(String(n))),
    receiptsRoot: ZERO,
    stateRoot: sha256Hex(utf8(String(n))),
    historyRoot: ZERO,
    nextValidatorsHash: ZERO,
    seal,
    ...change,
  };
  return { id: idOf(header, found), header };
}

export const genesis = withSeal(null, EMPTY, T0 - 60_000, { proposer: keyOf(0) });

/** A block on `parent`, right in all that is not said otherwise. */
export function on(parent: Mined, making: Making = {}): Mined {
  const { params = POW_PARAMS } = making;
  const seal = { ...sealAbove(parent.id, parent.header, params), ...making.seal };
  return withSeal(parent, encodeSeal(seal), parent.header.time + (making.afterMs ?? params.viewTimeoutMs), making);
}

/** So many blocks, one on the other. */
export function chainOn(parent: Mined, count: number, making: Making = {}): Mined[] {
  const blocks: Mined[] = [];
  for (let i = 0; i < count; i++) blocks.push(on(blocks.at(-1) ?? parent, making));
  return blocks;
}

export interface Script {
  readonly core: ConsensusCore<Message>;
  readonly self: NodeId | null;
  now: Millis;
  seen: Effect<Message>[];
  readonly disk: { records: Map<string, Bytes>; blocks: Map<BlockId, Header> };
  readonly headers: Map<BlockId, Header>;
  readonly names: Map<string, string>;
}

export interface Setup {
  readonly self?: NodeId | null;
  readonly params?: Partial<Params>;
  readonly own?: OwnParams;
  readonly head?: Mined;
  readonly disk?: Script['disk'];
  readonly now?: Millis;
  readonly validators?: ValidatorSet;
}

/** A core that has started. By default B's. */
export function script(setup: Setup = {}): Script {
  const { self = B, params = {}, own = {}, head = genesis, now = T0, validators = FOUR } = setup;
  const core = pow.create({ self, chainId: CHAIN_ID, params: { ...PARAMS, ...params }, own, seed: 1n });
  const disk = setup.disk ?? { records: new Map(), blocks: new Map() };
  const names = new Map([A, B, C, D].map((key, i) => [key as string, 'ABCD'[i]!]));
  names.set(head.id, 'head');
  const it: Script = { core, self, now, seen: [], disk, headers: new Map([[head.id, head.header]]), names };
  const resume: Resume = {
    records: new Map(disk.records),
    blocks: [...disk.blocks].map(([id, header]) => ({ id, header })),
    head: head.id,
    header: head.header,
    final: head.header.height,
    config: { validators },
    votesLost: false,
  };
  for (const [id, header] of disk.blocks) it.headers.set(id, header);
  take(it, core.start(now, resume));
  return it;
}

function take(it: Script, effects: readonly Effect<Message>[]): void {
  for (const effect of effects) {
    it.seen.push(effect);
    if (effect.type !== 'persist') continue;
    for (const { key, value } of effect.writes) if (value !== null) it.disk.records.set(key, value);
    for (const id of effect.blocks) it.disk.blocks.set(id, it.headers.get(id)!);
  }
}

export function feed(it: Script, event: Event<Message>): void {
  take(it, it.core.step(it.now, event));
}

export const tipOf = ({ id, header }: Mined, work = workAt(header)): Message => ({
  type: 'tip',
  height: header.height,
  block: id,
  work,
});

export const tell = (it: Script, from: NodeId, message: Message): void =>
  feed(it, { type: 'message', from, message, signature: new Uint8Array(64) });

export function hold(it: Script, block: Mined, name?: string): void {
  if (name !== undefined) it.names.set(block.id, name);
  it.headers.set(block.id, block.header);
  feed(it, { type: 'block', id: block.id, header: block.header });
}

export const judge = (it: Script, block: Mined, valid = true, validators: ValidatorSet = FOUR): void =>
  feed(it, { type: 'validated', block: block.id, next: valid ? { validators } : null });

/** Holds blocks when their time has come, and finds them all valid. */
export function accept(it: Script, blocks: readonly Mined[], prefix = 'X'): void {
  for (const [i, block] of blocks.entries()) {
    it.now = Math.max(it.now, block.header.time);
    hold(it, block, `${prefix}${i + 1}`);
  }
  for (const block of blocks) judge(it, block);
}

export function pass(it: Script, ms: number, timer?: string): void {
  it.now += ms;
  if (timer !== undefined) feed(it, { type: 'timeout', timer });
}

/** What left since the last look, as one line for each effect; timers only where asked for. */
export function look(it: Script, timers = false): string[] {
  const lines = it.seen.filter(each => timers || each.type !== 'timer').map(each => line(it, each));
  it.seen = [];
  return lines;
}

function line(it: Script, effect: Effect<Message>): string {
  const name = (id: string): string => it.names.get(id) ?? id.slice(-6);
  const list = (ids: readonly string[]): string => ids.map(name).join(' ');
  switch (effect.type) {
    case 'persist':
      return `persist ${effect.writes.length > 0 ? 'final ' : ''}${list(effect.blocks)}`.trim();
    case 'send':
      return `tip ${name(effect.message.block)}${effect.to === 'all' ? '' : ` to ${list(effect.to)}`}`;
    case 'timer':
      return `timer ${effect.timer} ${effect.after ?? 'off'}`;
    case 'build':
      return `build ${effect.job} on ${name(effect.parent)}`;
    case 'cancel':
      return `cancel ${effect.job}`;
    case 'validate':
      return `validate ${name(effect.block)}`;
    case 'fetch':
      return `fetch ${name(effect.block)} from ${list(effect.from)}`;
    case 'publish':
      return `publish ${name(effect.block)}`;
    case 'adopt':
      return `adopt ${name(effect.head)}, final ${effect.final}`;
    case 'sync':
    case 'report':
      return effect.type;
  }
}

/** The key of someone who is no validator. */
export const keyless = keyOf(9);
