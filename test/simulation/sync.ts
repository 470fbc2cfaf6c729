/**
 * Block sync of a simulated node: the machine of `node/network/sync.ts` over packets and in virtual time, the answers of
 * `sync-server.ts` to the questions of others, and the ledger's verdict of `catch-up.ts` on what they bring.
 */
import { block as blockCodec, type IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { encode } from '../../ledger/types/codec.ts';
import type { BlockId, PublicKey } from '../../ledger/types/ids.ts';
import { judgeCertified } from '../../node/catch-up.ts';
import { syncQuestion } from '../../node/network/certified-block.ts';
import { createSync, type RequestId, type Sync, type SyncEffect, type SyncEvent } from '../../node/network/sync.ts';
import { type BlockSource, framesOf } from '../../node/network/sync-server.ts';
import { finalise } from './adoption.ts';
import { mark } from './checks.ts';
import { measure, strikes } from './choices.ts';
import { peerKeyOf, stubVerify } from './keys.ts';
import { boast, LIES, type Lie, truly } from './lies.ts';
import type { Content, Packet } from './packet.ts';
import { later, type Replica } from './replica.ts';
import { holds, Violation } from './violation.ts';
import { carry, type World } from './world.ts';

/** How long a node takes to execute a block and to take the next, in virtual ms. */
const EXECUTION_MS = 1;
/** How long it takes until a connection is known to be closed. */
const CLOSE_MS = 5;

type EffectOf<Type extends SyncEffect['type']> = Extract<SyncEffect, { type: Type }>;

/** An answer that is being read: its parts may overtake each other. */
interface Reading {
  readonly slot: number;
  /** What has come, by its place in the answer. */
  readonly contents: Map<number, Content>;
  /** Handed over. */
  taken: number;
  isAwaited: boolean;
}

export interface SyncHost {
  readonly sync: Sync;
  readonly readings: Map<RequestId, Reading>;
  /** Who wants to know of a block. */
  readonly searches: Map<BlockId, ((block: IdentifiedBlock | null) => void)[]>;
  readonly events: SyncEvent[];
  isRunning: boolean;
  /** The one wake that counts. */
  wake: number;
}

export const newSyncHost = (): SyncHost => ({
  ...{ sync: createSync(), readings: new Map(), searches: new Map(), events: [], isRunning: false, wake: 0 },
});

/** Connected are all that run: a process that ends closes its connections, one that is cut off or stands still does not. */
function peersOf(world: World, { slot }: Replica): PublicKey[] {
  const peers: PublicKey[] = [];
  for (const each of world.replicas) if (each.slot !== slot && each.life !== null) peers.push(peerKeyOf(each.slot));
  return peers;
}

/** One event at a time, its effects before the next. */
export function tellSync(world: World, replica: Replica, event: SyncEvent): void {
  const { syncing, chain } = replica.life!;
  const { sync, events } = syncing;
  events.push(event);
  if (syncing.isRunning) return;
  syncing.isRunning = true;
  for (let next = events.shift(); next; next = events.shift()) {
    const view = { now: world.now, height: chain.final.header.height, peers: peersOf(world, replica) };
    for (const effect of sync.step(view, next)) perform(world, replica, effect);
  }
  syncing.isRunning = false;
}

function perform(world: World, replica: Replica, effect: SyncEffect): void {
  const { syncing } = replica.life!;
  switch (effect.type) {
    case 'ask':
      ask(world, replica, effect);
      break;
    case 'next':
      syncing.readings.get(effect.request)!.isAwaited = true;
      handOver(world, replica, effect.request);
      break;
    case 'cancel':
      syncing.readings.delete(effect.request);
      break;
    case 'apply':
      apply(world, replica, effect);
      break;
    case 'found': {
      const searches = syncing.searches.get(effect.id) ?? [];
      syncing.searches.delete(effect.id);
      for (const search of searches) later(world, replica, 0, () => search(effect.block));
      break;
    }
    case 'progress':
      mark(world.checks, 'block sync');
      break;
    case 'caught':
      if (effect.outcome === 'lied') exposed(world, effect);
      break;
    case 'wake':
      wakeAfter(world, replica, effect);
  }
}

function exposed(world: World, { peer, at }: EffectOf<'caught'>): void {
  mark(world.checks, 'lie refused');
  const liar = world.replicas.find(each => peerKeyOf(each.slot) === peer)!;
  holds(liar.byzantine, () => `an honest node was taken for a liar, above height ${at}`);
}

function ask(world: World, replica: Replica, { request, peer, question }: EffectOf<'ask'>): void {
  const { slot, lives } = replica;
  const asked = world.replicas.find(each => peerKeyOf(each.slot) === peer)!;
  replica.life!.syncing.readings.set(request, { slot: asked.slot, contents: new Map(), taken: 0, isAwaited: true });
  carry(world, replica, asked, { type: 'question', bytes: encode(syncQuestion, question), slot, life: lives, request });
}

/** A part of an answer; one that nobody waits for any more, or waited for in an earlier life, is nothing. */
export function takeAnswer(world: World, replica: Replica, packet: Extract<Packet, { type: 'answer' }>): void {
  const { life, request, place, contents } = packet;
  const reading = replica.life!.syncing.readings.get(request);
  if (life !== replica.lives || reading === undefined) return;
  contents.forEach((content, i) => {
    if (!reading.contents.has(place + i)) reading.contents.set(place + i, content);
  });
  handOver(world, replica, request);
}

/** What comes next in an answer, where it has come and the machine waits for it. */
function handOver(world: World, replica: Replica, request: RequestId): void {
  const { readings } = replica.life!.syncing;
  const reading = readings.get(request);
  const content = reading?.contents.get(reading.taken);
  if (reading === undefined || content === undefined || !reading.isAwaited) return;
  reading.contents.delete(reading.taken++);
  reading.isAwaited = false;
  if (content instanceof Uint8Array) {
    tellSync(world, replica, { type: 'frame', request, bytes: content });
    return;
  }
  readings.delete(request);
  tellSync(world, replica, { type: 'ended', request, failure: content });
}

function apply(world: World, replica: Replica, { block }: EffectOf<'apply'>): void {
  const { chain } = replica.life!;
  const found = judgeCertified(chain, world.profile.module.spec.certificate, block, stubVerify);
  if (found.verdict === 'differs') throw new Violation(found.fault.message);
  if (found.verdict === 'ok') finalise(world, replica, found.id, block.block.header.height, found.certificate);
  const { verdict } = found;
  later(world, replica, EXECUTION_MS, () => tellSync(world, replica, { type: 'judged', verdict }));
}

function wakeAfter(world: World, replica: Replica, { after }: EffectOf<'wake'>): void {
  const { syncing } = replica.life!;
  const wake = ++syncing.wake;
  if (after === null) return;
  later(world, replica, after, () => {
    if (syncing.wake === wake) tellSync(world, replica, { type: 'woken' });
  });
}

/** Looks for a block by its id. `found` is told later, null where nobody gives it. */
export function search(
  world: World,
  replica: Replica,
  id: BlockId,
  from: readonly PublicKey[],
  found: (block: IdentifiedBlock | null) => void,
): void {
  const { searches } = replica.life!.syncing;
  searches.set(id, [...(searches.get(id) ?? []), found]);
  tellSync(world, replica, { type: 'wanted', id, from });
}

/** Connects with all that run: each says how high it is. */
export function connect(world: World, replica: Replica): void {
  for (const other of world.replicas)
    if (other !== replica && other.life !== null) hello(world, replica, other.slot, true);
}

function hello(world: World, replica: Replica, to: number, isAnswered: boolean): void {
  const { slot, life, byzantine } = replica;
  const { height } = life!.chain.final.header;
  const lies = byzantine && strikes(world.choices, 'lying peer', world.faults.liePermille, slot);
  const told = lies ? boast(height, bound => measure(world.choices, bound)) : height;
  carry(world, replica, world.replicas[to]!, { type: 'hello', height: told, slot, isAnswered });
}

export function greet(world: World, replica: Replica, packet: Extract<Packet, { type: 'hello' }>): void {
  if (packet.isAnswered) hello(world, replica, packet.slot, false);
  claim(world, replica, packet.slot, packet.height);
}

/** What nothing certifies is not taken on anyone's word, as in a node. */
export function claim(world: World, replica: Replica, slot: number, height: number): void {
  if (world.profile.module.spec.certificate !== null)
    tellSync(world, replica, { type: 'claimed', peer: peerKeyOf(slot), height });
}

/** A process has ended: its peers lose their connections to it, and what they were reading from it. */
export function hangUp(world: World, { slot }: Replica): void {
  for (const other of world.replicas) {
    if (other.slot === slot || other.life === null) continue;
    const { readings } = other.life.syncing;
    const cut = [...readings].filter(([, reading]) => reading.slot === slot).map(([request]) => request);
    later(world, other, CLOSE_MS, () => {
      tellSync(world, other, { type: 'gone', peer: peerKeyOf(slot) });
      for (const request of cut) {
        const reading = readings.get(request);
        if (reading === undefined) continue;
        // What has come in is still handed over.
        let place = reading.taken;
        while (reading.contents.has(place)) place++;
        takeAnswer(world, other, { type: 'answer', life: other.lives, request, place, contents: ['REQUEST_CUT'] });
      }
    });
  }
}

const KINDS = [...LIES.values()];

const lieOf = ({ faults, choices }: World): Lie => faults.lie ?? KINDS[measure(choices, KINDS.length)]!;

/** Answers from what is held here; a liar has many ways. */
export function answer(world: World, replica: Replica, packet: Extract<Packet, { type: 'question' }>): void {
  const { slot, byzantine } = replica;
  const { life, request } = packet;
  const asker = world.replicas[packet.slot]!;
  const truth = [...framesOf(sourceOf(replica), packet.bytes)];
  const lies = byzantine && strikes(world.choices, 'lying peer', world.faults.liePermille, slot);
  const { frames, end, everyMs } = (lies ? lieOf(world) : truly)(truth);
  const contents: readonly Content[] = end === 'silence' ? frames : [...frames, end];
  const send = (place: number, part: readonly Content[]): void =>
    carry(world, replica, asker, { type: 'answer', life, request, place, contents: part });
  if (everyMs === 0) send(0, contents);
  else
    for (const [place, content] of contents.entries())
      later(world, replica, place * everyMs, () => send(place, [content]));
}

const encodings = new WeakMap<IdentifiedBlock, Bytes>();

function encoded(block: IdentifiedBlock): Bytes {
  let bytes = encodings.get(block);
  if (bytes === undefined) {
    bytes = encode(blockCodec, block);
    encodings.set(block, bytes);
  }
  return bytes;
}

function sourceOf({ disk, life }: Replica): BlockSource {
  const { held, chain } = life!;
  const final = (id: BlockId) => disk.blocks.find(each => each.block.id === id)?.block;
  return {
    blockBytes(at) {
      const block =
        typeof at === 'number' ? disk.blocks[at - 1]?.block : (held.get(at) ?? chain.candidate(at)?.block ?? final(at));
      return block ? encoded(block) : null;
    },
    certificate: height => disk.blocks[height - 1]?.certificate ?? null,
  };
}
