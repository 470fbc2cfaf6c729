/**
 * A few Raft servers on a network that loses, delays and repeats, with disks that forget what was not synced. Everything follows
 * from a seed. A block whose transactions name n ≥ 900 puts the validator n − 900 in or out of the set of the heights above it.
 */
import type { Config, ConsensusCore, Effect, Event, Params, TimerId } from '../../../consensus/core.ts';
import { crashQuorum } from '../../../consensus/quorum.ts';
import { raft } from '../../../consensus/raft/core.ts';
import { type Message, signed } from '../../../consensus/raft/messages.ts';
import { below, type Rng, rng } from '../../../consensus/rng.ts';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import { compareText } from '../../../ledger/types/bytes.ts';
import { type Certificate, CRASH_ACK, votePayload } from '../../../ledger/types/certificate.ts';
import { decodeOwn, encode } from '../../../ledger/types/codec.ts';
import type { BlockId, Height, Millis, NodeId } from '../../../ledger/types/ids.ts';
import { totalPower } from '../../../ledger/types/validator.ts';
import { CHAIN_ID, isValid, makeBlock, type SimulatedBlock } from '../../simulation/chain.ts';
import { keyOf, stubSign, stubVerify } from '../../simulation/keys.ts';

export const PARAMS: Params = {
  viewTimeoutMs: 1000,
  viewTimeoutMsMax: 8000,
  blockIntervalMinMs: 20,
  heartbeatMs: 10_000,
  driftMs: 500,
};

interface Held extends SimulatedBlock {
  readonly next: Config;
  readonly certificate: Certificate | null;
}

export interface Server {
  readonly slot: number;
  readonly key: NodeId;
  core: ConsensusCore<Message> | null;
  life: number;
  /** Final blocks from genesis on; what is above `durable.finals` is lost in a crash. */
  chain: Held[];
  candidates: Map<BlockId, Held>;
  bodies: Map<BlockId, SimulatedBlock>;
  durable: { records: Map<string, Bytes>; blocks: Map<BlockId, SimulatedBlock>; finals: number };
  queue: Effect<Message>[];
  syncing: boolean;
  timers: Map<TimerId, number>;
  timersSet: number;
}

export interface Cluster {
  readonly rng: Rng;
  readonly params: Params;
  readonly servers: Server[];
  now: Millis;
  readonly scheduled: { at: Millis; order: number; what: () => void }[];
  order: number;
  lossPermille: number;
  repeatPermille: number;
  delayMsMax: number;
  crashPermille: number;
  cut: (from: number, to: number) => boolean;
  pending: number[];
  submitted: number;
  readonly decided: Map<Height, BlockId>;
  readonly said: Map<string, string>;
  readonly sent: Map<string, number>;
}

const START = 1_700_000_000_000;

export function newCluster(seed: number, members: number, servers = members, params: Partial<Params> = {}): Cluster {
  const validators = [...Array(members).keys()].map(i => ({ key: keyOf(i + 1), power: 1 }));
  const genesis = makeBlock(null, START - 1, keyOf(0), []);
  const first: Held = { ...genesis, next: { validators }, certificate: null };
  const it: Cluster = {
    rng: rng(BigInt(seed), 7),
    params: { ...PARAMS, ...params },
    servers: [],
    now: START,
    scheduled: [],
    order: 0,
    lossPermille: 0,
    repeatPermille: 0,
    delayMsMax: 10,
    crashPermille: 0,
    cut: () => false,
    pending: [],
    submitted: 0,
    decided: new Map(),
    said: new Map(),
    sent: new Map(),
  };
  for (let slot = 0; slot < servers; slot++) {
    it.servers.push({
      ...{ slot, key: keyOf(slot + 1), core: null, life: 0, chain: [first], candidates: new Map(), bodies: new Map() },
      durable: { records: new Map(), blocks: new Map(), finals: 1 },
      ...{ queue: [], syncing: false, timers: new Map(), timersSet: 0 },
    });
  }
  for (const server of it.servers) start(it, server);
  return it;
}

const chance = (it: Cluster, permille: number): boolean => permille > 0 && below(it.rng, 1000) < permille;
const tip = (server: Server): Held => server.chain.at(-1)!;

function after(it: Cluster, delay: Millis, what: () => void): void {
  it.scheduled.push({ at: it.now + delay, order: it.order++, what });
}

/** Lets `ms` pass. */
export function run(it: Cluster, ms: Millis): void {
  const until = it.now + ms;
  for (;;) {
    let next = -1;
    for (let i = 0; i < it.scheduled.length; i++) {
      const [one, best] = [it.scheduled[i]!, it.scheduled[next]];
      if (best === undefined || one.at < best.at || (one.at === best.at && one.order < best.order)) next = i;
    }
    const found = it.scheduled[next];
    if (found === undefined || found.at > until) break;
    it.scheduled.splice(next, 1);
    it.now = found.at;
    found.what();
  }
  it.now = until;
}

function later(it: Cluster, server: Server, delay: Millis, what: () => void): void {
  const { life } = server;
  after(it, delay, () => {
    if (server.life === life && server.core !== null) what();
  });
}

export function start(it: Cluster, server: Server): void {
  const { header, id, next } = tip(server);
  const { records, blocks } = server.durable;
  server.bodies = new Map(blocks);
  server.candidates = new Map();
  server.core = raft.create({
    self: server.key,
    chainId: CHAIN_ID,
    params: it.params,
    seed: BigInt(below(it.rng, 2 ** 32)),
  });
  const resume = { records: new Map(records), head: id, header, final: header.height, config: next, votesLost: false };
  const pending = [...blocks.values()].filter(each => each.header.height > header.height);
  take(it, server, server.core.start(it.now, { ...resume, blocks: pending }));
  tellWork(it, server);
}

/** Power is cut: whatever was not synced is gone. */
export function crash(server: Server): void {
  if (server.core === null) return;
  server.core = null;
  server.life++;
  server.queue = [];
  server.syncing = false;
  server.timers = new Map();
  server.chain = server.chain.slice(0, server.durable.finals);
}

/** The disk is lost too. */
export function wipe(server: Server): void {
  crash(server);
  server.durable = { records: new Map(), blocks: new Map(), finals: 1 };
  server.chain = server.chain.slice(0, 1);
}

export function submit(it: Cluster, transaction = ++it.submitted): void {
  it.pending.push(transaction);
  for (const server of it.servers) tellWork(it, server);
}

function step(it: Cluster, server: Server, event: Event<Message>): void {
  if (server.core !== null) take(it, server, server.core.step(it.now, event));
}

const waiting = (it: Cluster, server: Server): number[] =>
  it.pending.filter(each => !server.chain.some(block => block.transactions.includes(each)));

function tellWork(it: Cluster, server: Server): void {
  step(it, server, { type: 'work', since: waiting(it, server).length > 0 ? it.now : null });
}

function take(it: Cluster, server: Server, effects: readonly Effect<Message>[]): void {
  for (const effect of effects) {
    if (effect.type === 'timer') setTimer(it, server, effect.timer, effect.after);
    else server.queue.push(effect);
  }
  drain(it, server);
}

function setTimer(it: Cluster, server: Server, timer: TimerId, delay: Millis | null): void {
  const number = ++server.timersSet;
  server.timers.set(timer, number);
  if (delay === null) return;
  later(it, server, delay, () => {
    if (server.timers.get(timer) === number) step(it, server, { type: 'timeout', timer });
  });
}

function drain(it: Cluster, server: Server): void {
  while (server.core !== null && !server.syncing) {
    const effect = server.queue.shift();
    if (effect === undefined) return;
    if (chance(it, it.crashPermille)) {
      strike(it, server);
      return;
    }
    if (effect.type === 'persist') sync(it, server, effect);
    else perform(it, server, effect);
  }
}

function strike(it: Cluster, server: Server): void {
  crash(server);
  after(it, 100 + below(it.rng, 4000), () => {
    if (server.core === null) start(it, server);
  });
}

function sync(it: Cluster, server: Server, { writes, blocks }: Extract<Effect<Message>, { type: 'persist' }>): void {
  server.syncing = true;
  const finals = server.chain.length;
  const bodies = blocks.map(id => {
    const body = server.bodies.get(id);
    if (body === undefined) throw new Error('persist of a block that is not held');
    return body;
  });
  later(it, server, 1 + below(it.rng, 3), () => {
    if (chance(it, it.crashPermille)) return strike(it, server);
    for (const { key, value } of writes) server.durable.records.set(key, value!);
    for (const body of bodies) server.durable.blocks.set(body.id, body);
    server.durable.finals = finals;
    server.syncing = false;
    drain(it, server);
  });
}

const stateOf = (server: Server, id: BlockId): Held | undefined =>
  tip(server).id === id ? tip(server) : server.candidates.get(id);

function nextOf(parent: Held, block: SimulatedBlock): Config {
  let { validators } = parent.next;
  for (const toggled of block.transactions.filter(each => each >= 900 && each < 1000)) {
    const key = keyOf(toggled - 900);
    const left = validators.filter(each => each.key !== key);
    const changed = left.length < validators.length ? left : [...validators, { key, power: 1 }];
    if (changed.length > 0) validators = changed.toSorted((a, b) => compareText(a.key, b.key));
  }
  return validators === parent.next.validators ? parent.next : { validators };
}

function execute(server: Server, block: SimulatedBlock): Held | null {
  const parent = stateOf(server, block.header.parent);
  if (parent === undefined) throw new Error('a verdict on a block whose parent has none');
  if (!isValid(block, parent)) return null;
  const held = server.candidates.get(block.id) ?? { ...block, next: nextOf(parent, block), certificate: null };
  server.candidates.set(block.id, held);
  return held;
}

function perform(it: Cluster, server: Server, effect: Effect<Message>): void {
  switch (effect.type) {
    case 'send':
      send(it, server, effect.to, effect.message);
      break;
    case 'build':
      later(it, server, 1, () => {
        const parent = stateOf(server, effect.parent);
        if (parent === undefined) return step(it, server, { type: 'built', job: effect.job, block: null });
        const open = [...server.candidates.values()].flatMap(each => each.transactions);
        const transactions = waiting(it, server).filter(each => !open.includes(each));
        const time = Math.max(it.now, parent.header.time + 1);
        const block = makeBlock(parent, time, server.key, transactions.slice(0, 1), effect.seal);
        server.bodies.set(block.id, block);
        execute(server, block);
        step(it, server, { type: 'built', job: effect.job, block });
      });
      break;
    case 'validate':
      later(it, server, 1, () => {
        const body = server.bodies.get(effect.block)!;
        if (body.header.height <= tip(server).header.height) return;
        const known = stateOf(server, effect.block) ?? execute(server, body);
        step(it, server, { type: 'validated', block: effect.block, next: known?.next ?? null });
      });
      break;
    case 'fetch': {
      const body = server.bodies.get(effect.block);
      if (body !== undefined) later(it, server, 0, () => hold(it, server, body));
      else
        for (const other of to(it, server, effect.from))
          transmit(it, server, other, () => give(it, other, server, effect.block));
      break;
    }
    case 'publish': {
      const body = server.bodies.get(effect.block)!;
      for (const other of to(it, server, effect.to)) transmit(it, server, other, () => hold(it, other, body));
      break;
    }
    case 'sync':
      for (const other of to(it, server, effect.from)) transmit(it, server, other, () => serve(it, other, server));
      break;
    case 'adopt':
      later(it, server, 1, () => {
        const held = server.candidates.get(effect.head);
        if (held !== undefined) adopt(it, server, { ...held, certificate: effect.certificate });
      });
      break;
    default:
  }
}

const to = (it: Cluster, server: Server, of: readonly NodeId[] | 'all'): Server[] =>
  it.servers.filter(each => each !== server && (of === 'all' || of.includes(each.key)));

function transmit(it: Cluster, from: Server, into: Server, what: () => void): void {
  for (let copies = chance(it, it.repeatPermille) ? 2 : 1; copies > 0; copies--) {
    if (chance(it, it.lossPermille) || it.cut(from.slot, into.slot)) continue;
    after(it, 1 + below(it.rng, it.delayMsMax), () => {
      if (into.core !== null) what();
    });
  }
}

function send(it: Cluster, server: Server, recipients: readonly NodeId[] | 'all', message: Message): void {
  check(it, server, recipients, message);
  it.sent.set(message.type, (it.sent.get(message.type) ?? 0) + 1);
  const bytes = encode(raft.codec, message);
  if (bytes.length > raft.spec.messageBytesMax) throw new Error('a message that is too large');
  const signature = stubSign(server.key, signed(CHAIN_ID, message));
  const arrive = (into: Server): void => {
    const decoded = decodeOwn(raft.codec, bytes);
    const claims = into.core!.claims(decoded);
    if (claims === null) return;
    if (!claims.every(each => stubVerify(each.signer, each.signed, each.signature)))
      throw new Error('a false signature');
    step(it, into, { type: 'message', from: server.key, message: decoded, signature });
  };
  if (recipients === 'all') later(it, server, 0, () => arrive(server));
  for (const other of to(it, server, recipients)) transmit(it, server, other, () => arrive(other));
}

/** What a server says once only, in all its lives: its vote in a term, its block at a height of a term; and one leader in a term. */
function check(it: Cluster, { key }: Server, recipients: readonly NodeId[] | 'all', message: Message): void {
  const once = (slot: string, value: string): void => {
    const before = it.said.get(slot);
    if (before !== undefined && before !== value) throw new Error(`${slot}: ${before} and ${value}`);
    it.said.set(slot, value);
  };
  if (message.type === 'append') once(`leader of ${message.term}`, key);
  if (message.type === 'ack') once(`ack of ${key} at ${message.term} ${message.height}`, message.block);
  if (message.type === 'vote-request') once(`vote of ${key} in ${message.term}`, key);
  if (message.type === 'vote' && message.granted && !message.pre) {
    once(`vote of ${key} in ${message.term}`, recipients[0]!);
  }
}

function hold(it: Cluster, server: Server, body: SimulatedBlock): void {
  server.bodies.set(body.id, body);
  step(it, server, { type: 'block', id: body.id, header: body.header });
}

function give(it: Cluster, server: Server, other: Server, id: BlockId): void {
  const body = server.bodies.get(id) ?? server.chain.find(each => each.id === id);
  if (body !== undefined) transmit(it, server, other, () => hold(it, other, body));
}

function serve(it: Cluster, server: Server, other: Server): void {
  transmit(it, server, other, () => {
    for (const block of server.chain.slice(0, server.chain.length)) {
      if (block.header.parent === tip(other).id) {
        other.bodies.set(block.id, block);
        adopt(it, other, block);
      }
    }
  });
}

function adopt(it: Cluster, server: Server, block: Held): void {
  const parent = tip(server);
  if (block.header.height <= parent.header.height) return;
  if (block.header.parent !== parent.id) throw new Error('adopted a block that does not extend the chain');
  certified(parent.next, block);
  const decided = it.decided.get(block.header.height);
  if (decided !== undefined && decided !== block.id) throw new Error(`two blocks at height ${block.header.height}`);
  it.decided.set(block.header.height, block.id);
  server.chain.push({ ...block, next: nextOf(parent, block) });
  for (const [id, each] of server.candidates)
    if (each.header.height <= block.header.height) server.candidates.delete(id);
  step(it, server, { type: 'applied', head: block.id, header: block.header, config: tip(server).next });
  tellWork(it, server);
}

function certified({ validators }: Config, { id, header, certificate }: Held): void {
  if (certificate === null || certificate.block !== id || certificate.phase !== CRASH_ACK.phase)
    throw new Error('no certificate');
  const payload = votePayload(CRASH_ACK.tag, CHAIN_ID, header.height, certificate.view, id);
  const signers = certificate.signatures.map(({ index, signature }) => {
    const validator = validators[index];
    if (validator === undefined || !stubVerify(validator.key, payload, signature))
      throw new Error('a false certificate');
    return validator;
  });
  if (totalPower(signers) < crashQuorum(totalPower(validators))) throw new Error('a certificate without a majority');
}

export const heights = (it: Cluster): number[] => it.servers.map(each => tip(each).header.height);
export const leaders = (it: Cluster): Server[] => it.servers.filter(each => each.core?.status().phase === 'leader');
