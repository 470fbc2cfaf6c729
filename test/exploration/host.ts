/**
 * One node under exploration: the real core, and a host that answers everything it can answer at once. What is built,
 * validated, fetched, made durable or said to oneself needs no decision of the explorer; what others say, timers and
 * crashes do. Time stands still: which timer fires is the explorer's choice, not the clock's.
 */
import { sha256Hex } from '#crypto';
import type { ConsensusCore, CoreModule, Effect, Event, Params, Resume, TimerId } from '../../consensus/core.ts';
import { type Bytes, compareText, equalBytes, utf8 } from '../../ledger/types/bytes.ts';
import { type Certificate, votePayload } from '../../ledger/types/certificate.ts';
import { encode } from '../../ledger/types/codec.ts';
import { HEADER_VERSION, type Header, header } from '../../ledger/types/header.ts';
import type { BlockId, ChainId, Hash, Height, NodeId } from '../../ledger/types/ids.ts';
import { tagged } from '../../ledger/types/tags.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';
import { keyOf, stubSign } from '../simulation/keys.ts';

export const CHAIN_ID = 'exploration' as ChainId;
/** The one moment at which everything happens. */
const NOW = 1_000_000;
/** Effects of one event: past this a core talks to itself without end. */
const EFFECTS_MAX = 10_000;

/** Nothing is waited for: a leader may propose as soon as it has work. */
const PARAMS: Params = {
  viewTimeoutMs: 1000,
  viewTimeoutMsMax: 8000,
  blockIntervalMinMs: 0,
  heartbeatMs: 10_000,
  driftMs: 500,
};

export class Violation extends Error {
  override readonly name = 'Violation';
}

/** A signed message on the network. It is never lost from there: who is not given it has lost it. */
export interface Packet<M> {
  readonly id: number;
  /** The same in every exploration. */
  readonly name: string;
  readonly from: NodeId;
  readonly to: readonly NodeId[] | 'all';
  readonly message: M;
  readonly signed: Bytes;
  readonly signature: Bytes;
}

/** What all nodes of one exploration share. */
export interface Scene<M> {
  readonly module: CoreModule<M>;
  readonly validators: ValidatorSet;
  /** Keys that several nodes use: these may contradict themselves, and be told of it. */
  readonly shared: ReadonlySet<NodeId>;
  /** Whether a message takes part: what only helps those who are behind does not. */
  readonly matters: (message: M) => boolean;
  /** What differs from the parameters that are used else: a timeout of 0 makes leases worthless. */
  readonly params: Partial<Params>;
  /** A node that has adopted this height is done. */
  readonly heightMax: Height;
  readonly genesis: { readonly id: BlockId; readonly header: Header };
  readonly headers: Map<BlockId, Header>;
  readonly packets: Packet<M>[];
  readonly packetIds: Map<string, number>;
}

/** A node's place: the key it signs with, and which of the nodes with that key it is. */
export interface Seat {
  readonly key: NodeId;
  /** Tells the blocks of twins apart; null for twins that are one another's image, since they never build. */
  readonly twin: number | null;
}

export interface Adoption {
  readonly height: Height;
  readonly block: BlockId;
  readonly certificate: Certificate | null;
}

/** What survives a crash, beside what was said and adopted. */
export interface Durable {
  readonly records: ReadonlyMap<string, Bytes>;
  readonly blocks: ReadonlySet<BlockId>;
}

export interface Host<M> {
  readonly scene: Scene<M>;
  readonly seat: Seat;
  readonly core: ConsensusCore<M>;
  readonly life: number;
  /** With what its last start began. */
  readonly born: Standing;
  durable: Durable;
  readonly timers: Set<TimerId>;
  sent: ReadonlySet<number>;
  adopted: readonly Adoption[];
  /** Packets that changed something in this life, and how many timers fired; noted by who counts them. */
  given: ReadonlySet<number>;
  fired: number;
  /** Kinds of effects performed by the current event, in order. */
  log: Effect<M>['type'][];
  /** Power is cut before the effect of this number. */
  cutAt: number;
  queue: Event<M>[];
}

/** What a start begins with: its disk, and what the world has seen of it. */
export interface Standing {
  readonly durable: Durable;
  readonly sent: ReadonlySet<number>;
  readonly adopted: readonly Adoption[];
  readonly life: number;
}

export const NEWBORN: Standing = {
  durable: { records: new Map(), blocks: new Set() },
  sent: new Set(),
  adopted: [],
  life: 0,
};

const ZERO = '0'.repeat(64) as Hash;

function blockOn(
  parent: { readonly id: BlockId; readonly header: Header } | null,
  proposer: NodeId,
  seal: Bytes,
  salt: string,
): { readonly id: BlockId; readonly header: Header } {
  const built: Header = {
    version: HEADER_VERSION,
    chainId: CHAIN_ID,
    height: parent === null ? 0 : parent.header.height + 1,
    parent: parent?.id ?? ZERO,
    time: parent === null ? NOW - 1000 : parent.header.time + 1,
    proposer,
    transactionsRoot: sha256Hex(utf8(salt)),
    receiptsRoot: ZERO,
    stateRoot: ZERO,
    historyRoot: ZERO,
    nextValidatorsHash: ZERO,
    seal,
  };
  return { id: sha256Hex(tagged('quorate/block/1', CHAIN_ID), encode(header, built)), header: built };
}

export function newScene<M>(
  module: CoreModule<M>,
  validators: ValidatorSet,
  shared: ReadonlySet<NodeId>,
  matters: (message: M) => boolean,
  params: Partial<Params>,
  heightMax: Height,
): Scene<M> {
  const genesis = blockOn(null, keyOf(0), new Uint8Array(0), 'genesis');
  const headers = new Map([[genesis.id, genesis.header]]);
  return {
    module,
    validators,
    shared,
    matters,
    params,
    heightMax,
    genesis,
    headers,
    packets: [],
    packetIds: new Map(),
  };
}

/** Whether the exploration asks nothing more of it. */
export const isDone = <M>({ scene, adopted }: Pick<Host<M>, 'scene' | 'adopted'>): boolean =>
  adopted.length >= scene.heightMax;

/** A node that starts with what an earlier life left. */
export function startHost<M>(scene: Scene<M>, seat: Seat, born: Standing): Host<M> {
  const { module, validators, genesis, headers } = scene;
  const core = module.create({ self: seat.key, chainId: CHAIN_ID, params: { ...PARAMS, ...scene.params }, seed: 1n });
  const host: Host<M> = {
    scene,
    seat,
    core,
    born,
    ...born,
    timers: new Set(),
    given: new Set(),
    fired: 0,
    log: [],
    cutAt: Number.POSITIVE_INFINITY,
    queue: [],
  };
  const head = host.adopted.at(-1)?.block ?? genesis.id;
  const above = [...host.durable.blocks].filter(id => headers.get(id)!.height > headers.get(head)!.height);
  const resume: Resume = {
    records: host.durable.records,
    blocks: above.map(id => ({ id, header: headers.get(id)! })),
    head,
    header: headers.get(head)!,
    final: headers.get(head)!.height,
    config: { validators },
    votesLost: host.durable.records.size === 0,
  };
  host.queue.push({ type: 'work', since: NOW });
  perform(host, core.start(NOW, resume));
  settle(host);
  return host;
}

/** Lets an event happen and everything that follows from it at once, until power is cut after `cutAt` effects. */
export function happen<M>(host: Host<M>, event: Event<M>, cutAt = Number.POSITIVE_INFINITY): void {
  host.log = [];
  host.cutAt = cutAt;
  if (event.type === 'timeout') host.timers.delete(event.timer);
  host.queue.push(event);
  settle(host);
}

function settle<M>(host: Host<M>): void {
  for (let event = host.queue.shift(); event !== undefined; event = host.queue.shift()) {
    if (host.log.length >= host.cutAt || isDone(host)) continue;
    if (event.type === 'message' && host.core.claims(event.message) === null) continue;
    perform(host, host.core.step(NOW, event));
  }
}

function perform<M>(host: Host<M>, effects: readonly Effect<M>[]): void {
  for (const effect of effects) {
    if (host.log.length >= host.cutAt) return;
    if (host.log.length > EFFECTS_MAX) throw new Violation('effects without end');
    host.log.push(effect.type);
    performOne(host, effect);
  }
}

function performOne<M>(host: Host<M>, effect: Effect<M>): void {
  const { scene, queue, seat } = host;
  switch (effect.type) {
    case 'persist':
      host.durable = persisted(host.durable, effect);
      break;
    case 'send':
      send(host, effect);
      break;
    case 'timer':
      if (effect.after === null) host.timers.delete(effect.timer);
      else host.timers.add(effect.timer);
      break;
    case 'build': {
      if (seat.twin === null) throw new Error('a twin that was taken for the image of the other builds a block');
      const parent = { id: effect.parent, header: scene.headers.get(effect.parent)! };
      const block = blockOn(parent, seat.key, effect.seal, `${effect.job} twin ${seat.twin} life ${host.life}`);
      scene.headers.set(block.id, block.header);
      queue.push({ type: 'built', job: effect.job, block });
      break;
    }
    case 'validate':
      queue.push({ type: 'validated', block: effect.block, next: { validators: scene.validators } });
      break;
    case 'fetch':
      queue.push({ type: 'block', id: effect.block, header: scene.headers.get(effect.block)! });
      break;
    case 'adopt':
      adopt(host, effect);
      break;
    case 'report':
      if (!scene.shared.has(effect.evidence.offender)) throw new Violation('an honest validator was accused');
      break;
    default:
  }
}

type Of<M, T extends Effect<M>['type']> = Extract<Effect<M>, { type: T }>;

function persisted<M>({ records, blocks }: Durable, { writes, blocks: more }: Of<M, 'persist'>): Durable {
  const kept = new Map(records);
  for (const { key, value } of writes) {
    if (value === null) kept.delete(key);
    else kept.set(key, value);
  }
  return { records: kept, blocks: new Set([...blocks, ...more]) };
}

function send<M>(host: Host<M>, { to, message }: Of<M, 'send'>): void {
  const { scene, seat } = host;
  if (!scene.matters(message)) return;
  const packet = packetOf(scene, seat.key, to, message);
  if (!host.sent.has(packet.id)) host.sent = new Set([...host.sent, packet.id]);
  if (to === 'all') host.queue.push({ type: 'message', from: seat.key, message, signature: packet.signature });
}

/** The packet for these bytes: the same message said twice is one packet. */
function packetOf<M>(scene: Scene<M>, from: NodeId, to: readonly NodeId[] | 'all', message: M): Packet<M> {
  const encoded = encode(scene.module.codec, message);
  const name = `${from} ${to === 'all' ? 'all' : to.join()} ${sha256Hex(encoded)}`;
  const known = scene.packetIds.get(name);
  if (known !== undefined) return scene.packets[known]!;
  const signed = scene.module.signed(CHAIN_ID, message);
  const packet = { id: scene.packets.length, name, from, to, message, signed, signature: stubSign(from, signed) };
  scene.packets.push(packet);
  scene.packetIds.set(name, packet.id);
  return packet;
}

function adopt<M>(host: Host<M>, { head, certificate }: Of<M, 'adopt'>): void {
  const { scene, adopted, queue } = host;
  const header = scene.headers.get(head)!;
  const parent = adopted.at(-1)?.block ?? scene.genesis.id;
  if (header.height <= adopted.length) return;
  if (header.parent !== parent) throw new Violation('adopted a block that does not extend the chain');
  if (!isCertified(scene, header, head, certificate)) throw new Violation('adopted a block without a quorum');
  host.adopted = [...adopted, { height: header.height, block: head, certificate }];
  queue.push({ type: 'applied', head, header, config: { validators: scene.validators } });
  queue.push({ type: 'work', since: NOW });
}

/** Written apart from the engines' own counting: the rule's share of the power by multiplication, index by index. */
function isCertified<M>(
  { module, validators }: Scene<M>,
  header: Header,
  block: BlockId,
  certificate: Certificate | null,
): boolean {
  const rule = module.spec.certificate;
  if (rule === null) return certificate === null;
  if (certificate === null || certificate.height !== header.height || certificate.block !== block) return false;
  const signed = votePayload(rule.tag, CHAIN_ID, header.height, certificate.view, block);
  let power = 0;
  let last = -1;
  for (const { index, signature } of certificate.signatures) {
    const validator = validators[index];
    if (validator === undefined || index <= last || !equalBytes(signature, stubSign(validator.key, signed)))
      return false;
    last = index;
    power += validator.power;
  }
  const total = validators.reduce((sum, each) => sum + each.power, 0);
  return certificate.phase === rule.phase && (rule.trust === 'byzantine' ? 3 * power > 2 * total : 2 * power > total);
}

/** What tells one state of a node from another. A node that is done has only its word and its chain left. */
export function identityOf<M>(host: Host<M>): string {
  const { adopted, core, durable, life, sent, timers } = host;
  const word = `${[...sent].sort((a, b) => a - b).join()} ${adopted.map(each => each.block).join()} ${life}`;
  if (isDone(host)) return word;
  const records = [...durable.records].map(([key, value]) => `${key} ${sha256Hex(value)}`).sort(compareText);
  const standing = `${records.join()} ${[...durable.blocks].sort(compareText).join()} ${[...timers].sort(compareText).join()}`;
  return `${word} ${sha256Hex(core.digest(), utf8(standing))}`;
}
