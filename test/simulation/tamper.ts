/**
 * What a liar makes of the words of its core, which is honest: it contradicts itself, speaks to some alone, and claims what it
 * cannot prove. All of it under its own key and rightly signed; what others signed it can only leave out or put elsewhere.
 */
import { sha256Hex } from '#crypto';
import type { Ballot, Message, Proposal, RoundChangeMessage } from '../../consensus/bft/messages.ts';
import { TAGS } from '../../consensus/bft/messages.ts';
import { type Justification, roundChangePayload } from '../../consensus/bft/statement.ts';
import { type SignerSignature, sortSigners, type VoteCertificate } from '../../consensus/certificate.ts';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import { fromHex } from '../../ledger/types/bytes.ts';
import { votePayload } from '../../ledger/types/certificate.ts';
import type { BlockId, Height, NodeId } from '../../ledger/types/ids.ts';
import { CHAIN_ID } from './chain.ts';
import { measure, strikes } from './choices.ts';
import { stubSign } from './keys.ts';
import type { Replica } from './replica.ts';
import type { World } from './world.ts';

/** One thing said to one hearer, with the body that it takes to believe it. */
export interface Said {
  readonly slot: number;
  readonly message: unknown;
  readonly body: IdentifiedBlock | null;
}

const BALLOTS: ReadonlySet<unknown> = new Set<Ballot['type']>(['proposal', 'prepare', 'commit', 'round-change']);
const isBallot = (message: unknown): message is Ballot => BALLOTS.has((message as Message).type);

/** What the liar says to each of `slots` in the place of `message`. */
export function tamper(world: World, liar: Replica, message: unknown, slots: readonly number[]): readonly Said[] {
  const { choices, faults } = world;
  const isSelective = strikes(choices, 'selective sending', faults.selectPermille, liar.slot);
  const hearers = isSelective ? slots.filter(() => measure(choices, 2) === 0) : slots;
  const say = (what: unknown, body: IdentifiedBlock | null, to: readonly number[]): Said[] =>
    to.map(slot => ({ slot, message: what, body }));
  if (!isBallot(message)) return say(message, null, hearers);
  const bends = bendsOf(liar.key!, message);
  if (bends.length > 0 && strikes(choices, 'invalid justification', faults.unprovenPermille, liar.slot))
    return say(bends[measure(choices, bends.length)]!(), null, hearers);
  if (!strikes(choices, 'equivocation', faults.equivocatePermille, liar.slot)) return say(message, null, hearers);
  // To each hearer the one thing, the other, or both.
  const sides = hearers.map(slot => ({ slot, side: measure(choices, 3) }));
  const other = contradiction(world, liar, message);
  return [...say(message, null, slotsBut(sides, 1)), ...say(other.message, other.body, slotsBut(sides, 0))];
}

const slotsBut = (sides: readonly { readonly slot: number; readonly side: number }[], but: number): number[] =>
  sides.filter(each => each.side !== but).map(each => each.slot);

interface Contradiction {
  readonly message: Ballot;
  readonly body: IdentifiedBlock | null;
}

/** What an honest validator never says beside `message`. */
function contradiction(world: World, liar: Replica, message: Ballot): Contradiction {
  if (message.type === 'round-change') {
    const { height, view } = message;
    const prepared = message.prepared === null ? boast(liar.key!, height, view - 1) : null;
    return { message: { ...message, prepared }, body: null };
  }
  const known = world.rivals.get(message.block);
  const body = known === undefined && message.type === 'proposal' ? rivalOf(world, liar, message.block) : null;
  const block = known ?? body?.id ?? madeUp(message.block);
  return { message: { ...message, block }, body: body ?? liar.life?.held.get(block) ?? null };
}

/** Another block of the liar's own in the place of one; null where that is not its own. */
function rivalOf(world: World, { life, key }: Replica, of: BlockId): IdentifiedBlock | null {
  const header = life?.held.get(of)?.header;
  if (header === undefined || header.proposer !== key) return null;
  const { parent, time, seal } = header;
  const made = life!.chain.build({ offer() {} }, { parent, time: time + 1, proposer: key, seal });
  if (made === null) return null;
  life!.held.keep(made.block);
  world.rivals.set(of, made.block.id);
  world.rivals.set(made.block.id, of);
  return made.block;
}

/** The id of a block that nobody has. */
const madeUp = (instead: BlockId): BlockId => sha256Hex(fromHex(instead)!);

/** A certificate for a made-up block, signed by the liar alone. */
function boast(key: NodeId, height: Height, view: number): VoteCertificate {
  const block = madeUp(sha256Hex(fromHex(key)!));
  const signature = stubSign(key, votePayload(TAGS.prepare, CHAIN_ID, height, view, block));
  return { view, block, signatures: [{ signer: key, signature }] };
}

type Bend = () => Ballot;

/** The ways in which what the message has to prove can be left unproven, hidden, or proved by what was signed for something else. */
function bendsOf(key: NodeId, message: Ballot): readonly Bend[] {
  if (message.type === 'round-change') return roundChangeBends(key, message);
  return message.type === 'proposal' && message.justification !== null
    ? proposalBends(key, message, message.justification)
    : [];
}

function roundChangeBends(key: NodeId, message: RoundChangeMessage): readonly Bend[] {
  const { height, view, prepared } = message;
  const claiming = (claimed: VoteCertificate | null) => (): Ballot => ({ ...message, prepared: claimed });
  const boasting = claiming(boast(key, height, view - 1));
  if (prepared === null) return [boasting];
  return [
    boasting,
    claiming(null),
    claiming({ ...prepared, signatures: half(prepared.signatures) }),
    claiming({ ...prepared, block: madeUp(prepared.block) }),
    claiming({ ...prepared, view: prepared.view + 1 }),
  ];
}

function proposalBends(key: NodeId, message: Proposal, justification: Justification): readonly Bend[] {
  const { height, view, block } = message;
  const { roundChanges, prepares } = justification;
  const showing = (shown: Justification | null, what: BlockId) => (): Ballot => ({
    ...{ ...message, block: what, justification: shown },
  });
  // A quorum's round changes, its own with a certificate that nobody gave it.
  const { view: boasted, block: other, signatures } = boast(key, height, view - 1);
  const prepared = { view: boasted, block: other };
  const signature = stubSign(key, roundChangePayload(TAGS, CHAIN_ID, height, view, prepared));
  const own = { signer: key, signature, prepared };
  const boasting = sortSigners([...roundChanges.filter(each => each.signer !== key), own]);
  return [
    showing(null, block),
    showing({ ...justification, roundChanges: half(roundChanges) }, block),
    showing({ ...justification, prepares: half(prepares) }, block),
    showing({ roundChanges: boasting, prepares: signatures }, other),
    showing({ ...justification, prepares: [] }, madeUp(block)),
    // The signatures of one thing under the other.
    showing(
      { ...justification, prepares: roundChanges.map(({ signer, signature }) => ({ signer, signature })) },
      block,
    ),
    () => ({ ...message, view: view + 1 }),
    () => ({ ...message, height: height + 1 }),
  ];
}

const half = <T extends SignerSignature>(signers: readonly T[]): readonly T[] =>
  signers.slice(0, Math.trunc(signers.length / 2));
