/** Messages of a validator, each correctly signed and wrong in one field; none of them may move anyone. */
import { randomBytes } from '../../client/entropy.ts';
import type { Message } from '../../consensus/bft/messages.ts';
import { type SignerSignature, sortSigners, VIEW_MAX } from '../../consensus/certificate.ts';
import { toHex } from '../../ledger/types/bytes.ts';
import type { BlockId, Height } from '../../ledger/types/ids.ts';
import type { Liar } from './liar.ts';

/** What is being decided, as far as the liar has heard. */
export interface Slot {
  readonly height: Height;
  readonly view: number;
  readonly block: BlockId;
}

const otherBlock = (): BlockId => toHex(randomBytes(32)) as BlockId;

export function currentSlot({ heard, chain }: Liar): Slot {
  const height = chain.final.header.height + 1;
  const proposal = heard.findLast(({ message }) => message.type === 'proposal' && message.height === height)?.message;
  return proposal?.type === 'proposal'
    ? { height, view: proposal.view, block: proposal.block }
    : { height, view: 0, block: otherBlock() };
}

const CHANGES: Readonly<Record<string, (slot: Slot) => Slot>> = {
  'the height below': slot => ({ ...slot, height: slot.height - 1 }),
  'the height above': slot => ({ ...slot, height: slot.height + 1 }),
  'a height far above': slot => ({ ...slot, height: slot.height + 2 ** 40 }),
  'the next view': slot => ({ ...slot, view: slot.view + 1 }),
  'the last view there is': slot => ({ ...slot, view: VIEW_MAX }),
  'another block': slot => ({ ...slot, block: otherBlock() }),
};

/** Honest signatures on the slot that the liar has heard. */
function collected({ heard }: Liar, type: 'prepare' | 'commit', { height, view, block }: Slot): SignerSignature[] {
  const signers = new Map<string, SignerSignature>();
  for (const { from, message, signature } of heard) {
    if (message.type !== type || message.height !== height) continue;
    if (message.view === view && message.block === block) signers.set(from, { signer: from, signature });
  }
  return [...signers.values()];
}

type Mutation = (slot: Slot, liar: Liar) => Message;

const single: [string, Mutation][] = Object.entries(CHANGES).flatMap(([name, change]) => [
  [`a prepare for ${name}`, slot => ({ type: 'prepare', ...change(slot) })],
  [`a commit for ${name}`, slot => ({ type: 'commit', ...change(slot) })],
  [`a proposal for ${name}`, slot => ({ type: 'proposal', ...change(slot), justification: null })],
  [`a round change to ${name}`, slot => ({ type: 'round-change', ...change(slot), prepared: null })],
]);

const sortedPair = (liar: Liar, type: 'prepare' | 'commit', slot: Slot) =>
  sortSigners(collected(liar, type, slot).slice(0, 2));

/** Everything here is well formed and every signature in it holds. */
export const MUTATED_VOTES: readonly (readonly [string, Mutation])[] = [
  ...single,
  [
    'a round change with too few prepares',
    (slot, liar) => {
      const { view, block } = slot;
      const prepared = { view, block, signatures: sortedPair(liar, 'prepare', slot) };
      return { type: 'round-change', height: slot.height, view: view + 1, prepared };
    },
  ],
  [
    'a round change that prepared a later view',
    (slot, liar) => {
      const { view, block } = slot;
      const prepared = { view, block, signatures: sortedPair(liar, 'prepare', slot) };
      return { type: 'round-change', height: slot.height, view, prepared };
    },
  ],
  [
    'a proposal justified by no round change',
    slot => ({
      ...{ type: 'proposal', height: slot.height, view: slot.view + 1, block: otherBlock() },
      justification: { roundChanges: [], prepares: [] },
    }),
  ],
  [
    'a proposal justified by too few prepares',
    (slot, liar) => ({
      ...{ type: 'proposal', height: slot.height, view: slot.view + 1, block: slot.block },
      justification: { roundChanges: [], prepares: slot.view === 0 ? sortedPair(liar, 'prepare', slot) : [] },
    }),
  ],
  [
    'a decision by too few',
    (slot, liar) => ({ type: 'decision', ...slot, signatures: sortedPair(liar, 'commit', slot) }),
  ],
  ['a decision by nobody', slot => ({ type: 'decision', ...slot, block: otherBlock(), signatures: [] })],
  ['a final height without end', () => ({ type: 'status', height: Number.MAX_SAFE_INTEGER, nonce: 0, recorded: true })],
  ['a question from far ahead', () => ({ type: 'status-request', height: Number.MAX_SAFE_INTEGER, nonce: 7 })],
];

/** Messages with a signature in them that does not hold, which no honest node passes on or sends. */
export const FALSE_MESSAGES: readonly (readonly [string, Mutation])[] = [
  [
    'a round change with prepares of another view',
    (slot, liar) => {
      const signatures = forged(liar);
      const prepared = { view: slot.view, block: slot.block, signatures };
      return { type: 'round-change', height: slot.height, view: slot.view + 1, prepared };
    },
  ],
  [
    'a decision with forged commits',
    (slot, liar) => ({ type: 'decision', ...slot, height: slot.height + 1, signatures: forged(liar) }),
  ],
  [
    'a proposal with forged round changes',
    (slot, liar) => ({
      ...{ type: 'proposal', height: slot.height, view: slot.view + 1, block: slot.block },
      justification: { roundChanges: forged(liar).map(each => ({ ...each, prepared: null })), prepares: [] },
    }),
  ],
];

/** Every validator's key with somebody's signature over something else. */
const forged = ({ chain }: Liar): readonly SignerSignature[] =>
  sortSigners(chain.final.validators.map(({ key }) => ({ signer: key, signature: randomBytes(64) })));
