/** Whether what justifies a view change is taken exactly where the specification takes it: signatures, views, blocks and quorums. */
import { describe, expect, it } from 'vitest';
import { isRoundChangeJustified, judgeProposal } from '../../../consensus/bft/justification.ts';
import { claimsOf, type Message, signed } from '../../../consensus/bft/messages.ts';
import type { SignerSignature } from '../../../consensus/certificate.ts';
import { byzantineQuorum } from '../../../consensus/quorum.ts';
import { below, type Rng, rng } from '../../../consensus/rng.ts';
import type { BlockId } from '../../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../../ledger/types/validator.ts';
import { CHAIN_ID } from '../../simulation/chain.ts';
import { keyOf, stubSign, stubVerify } from '../../simulation/keys.ts';
import * as oracle from './qbft-oracle.ts';

const idOf = (n: number) => n.toString(16).padStart(64, '0') as BlockId;
const equals = (n: number): ValidatorSet => Array.from({ length: n }, (_, i) => ({ key: keyOf(i + 1), power: 1 }));
const signature = new Uint8Array(64);

const HEIGHT = 5;
/** Sets at which the quorum of the specification differs (3, 6, 9) are among those below. */
const VALIDATORS_MAX = 10;
const ROUND_MAX = 4;
const BLOCK = idOf(1);
const OTHER = idOf(2);
const CASES = 20_000;

interface Case {
  readonly n: number;
  readonly proposal: oracle.Proposal;
}

/** So many of 0 to n - 1, in any order. */
function some(draw: Rng, n: number, count: number): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = below(draw, i + 1);
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all.slice(0, count);
}

/** A proposal that is justified, mostly by no more than it takes. */
function justifiedCase(draw: Rng): Case {
  const n = 1 + below(draw, VALIDATORS_MAX);
  const round = 1 + below(draw, ROUND_MAX);
  const quorum = byzantineQuorum(n);
  const sizeOf = (): number => (below(draw, 4) > 0 ? quorum : quorum + below(draw, n - quorum + 1));
  const highest = below(draw, 3) === 0 ? null : below(draw, round);
  const senders = some(draw, n, sizeOf());
  const highestOf = senders[0];
  const ascending = senders.toSorted((a, b) => a - b);
  const roundChanges = ascending.map((sender): oracle.RoundChange => {
    const lower = highest !== null && highest > 0 && below(draw, 2) === 0;
    const named = sender === highestOf ? highest : lower ? below(draw, highest) : null;
    const block = named === highest || below(draw, 2) === 0 ? BLOCK : OTHER;
    return { sender, height: HEIGHT, round, prepared: named === null ? null : { round: named, block } };
  });
  const prepares =
    highest === null
      ? []
      : some(draw, n, sizeOf()).map(sender => ({ sender, height: HEIGHT, round: highest, block: BLOCK }));
  return { n, proposal: { height: HEIGHT, round, block: BLOCK, roundChanges, prepares } };
}

type Change = (draw: Rng, each: Case) => oracle.Proposal;

/** Something about one round change that was drawn. */
const ofRoundChange =
  (change: (draw: Rng, each: oracle.RoundChange, at: Case) => readonly oracle.RoundChange[]): Change =>
  (draw, at) => {
    const all = at.proposal.roundChanges ?? [];
    const i = below(draw, Math.max(1, all.length));
    return { ...at.proposal, roundChanges: all.flatMap((each, j) => (i === j ? change(draw, each, at) : [each])) };
  };

/** Something about one prepare that was drawn. */
const ofPrepare =
  (change: (draw: Rng, each: oracle.Prepare, at: Case) => readonly oracle.Prepare[]): Change =>
  (draw, at) => {
    const all = at.proposal.prepares;
    const i = below(draw, Math.max(1, all.length));
    return { ...at.proposal, prepares: all.flatMap((each, j) => (i === j ? change(draw, each, at) : [each])) };
  };

const stranger = (draw: Rng, n: number): number => n + below(draw, 2);

const CHANGES: ReadonlyMap<string, Change> = new Map<string, Change>([
  ['a round change less', ofRoundChange(() => [])],
  ['a round change twice', ofRoundChange((_, each) => [each, each])],
  [
    'a round change in the name of another who sent one',
    ofRoundChange((_, each, { proposal }) => [{ ...each, sender: proposal.roundChanges![0]!.sender }]),
  ],
  ['a round change of a stranger', ofRoundChange((draw, each, { n }) => [{ ...each, sender: stranger(draw, n) }])],
  ['a round change to another view', ofRoundChange((_, each) => [{ ...each, round: each.round + 1 }])],
  ['a round change at another height', ofRoundChange((_, each) => [{ ...each, height: each.height + 1 }])],
  ['a round change that names nothing', ofRoundChange((_, each) => [{ ...each, prepared: null }])],
  [
    'a round change that names its own view, or a later one',
    ofRoundChange((draw, each) => [{ ...each, prepared: { round: each.round + below(draw, 2), block: BLOCK } }]),
  ],
  [
    'a round change that names any block of any view',
    ofRoundChange((draw, each) => {
      const prepared = { round: below(draw, each.round), block: below(draw, 2) === 0 ? BLOCK : OTHER };
      return [{ ...each, prepared }];
    }),
  ],
  [
    'what was prepared in its own view, or in a later one',
    (draw, { proposal }) => {
      const round = proposal.round + below(draw, 2);
      const roundChanges = (proposal.roundChanges ?? []).map(each => ({
        ...each,
        prepared: each.prepared && { ...each.prepared, round },
      }));
      return { ...proposal, roundChanges, prepares: proposal.prepares.map(each => ({ ...each, round })) };
    },
  ],
  ['no round changes', (_, { proposal }) => ({ ...proposal, roundChanges: [] })],
  ['no attachments', (_, { proposal }) => ({ ...proposal, roundChanges: null, prepares: [] })],
  ['a prepare less', ofPrepare(() => [])],
  ['a prepare twice', ofPrepare((_, each) => [each, each])],
  [
    'a prepare in the name of another who sent one',
    ofPrepare((_, each, { proposal }) => [{ ...each, sender: proposal.prepares[0]!.sender }]),
  ],
  ['a prepare of a stranger', ofPrepare((draw, each, { n }) => [{ ...each, sender: stranger(draw, n) }])],
  ['a prepare in another view', ofPrepare((_, each) => [{ ...each, round: each.round + 1 }])],
  ['a prepare at another height', ofPrepare((_, each) => [{ ...each, height: each.height + 1 }])],
  ['a prepare of another block', ofPrepare((_, each) => [{ ...each, block: OTHER }])],
  ['no prepares', (_, { proposal }) => ({ ...proposal, prepares: [] })],
  ['another block', (_, { proposal }) => ({ ...proposal, block: OTHER })],
  ['the first view', (_, { proposal }) => ({ ...proposal, round: 0 })],
]);

const changeNames = [...CHANGES.keys()];
/** What is there twice counts once. */
const HARMLESS: ReadonlySet<string> = new Set(['a round change twice', 'a prepare twice']);

const signedBy = (sender: number, message: Message): SignerSignature => {
  const signer = keyOf(sender + 1);
  return { signer, signature: stubSign(signer, signed(CHAIN_ID, message)) };
};

const signedPrepare = ({ sender, height, round, block }: oracle.Prepare): SignerSignature =>
  signedBy(sender, { type: 'prepare', height, view: round, block });

const areSigned = (message: Message): boolean =>
  claimsOf(CHAIN_ID, message).every(each => stubVerify(each.signer, each.signed, each.signature));

/** What a node makes of the proposal: signatures over what the message claims, then the predicate. */
function isTaken({ n, proposal }: Case): boolean {
  const { height, round: view, block, roundChanges, prepares } = proposal;
  const justification = roundChanges && {
    roundChanges: roundChanges.map(each => {
      const prepared = each.prepared && { view: each.prepared.round, block: each.prepared.block };
      const attached = prepared && { ...prepared, signatures: [] };
      const message: Message = { type: 'round-change', height: each.height, view: each.round, prepared: attached };
      return { ...signedBy(each.sender, message), prepared };
    }),
    prepares: prepares.map(signedPrepare),
  };
  if (!areSigned({ type: 'proposal', height, view, block, justification })) return false;
  return judgeProposal(equals(n), byzantineQuorum(n), view, block, justification) !== null;
}

describe('justification against the predicates of QBFT', () => {
  it('takes the same proposals: justified ones, with nothing, one thing or two changed', () => {
    const draw = rng(1n);
    const outcomes = new Map<string, number>();
    for (let i = 0; i < CASES; i++) {
      const { n, proposal } = justifiedCase(draw);
      expect(oracle.isProposalJustified(n, proposal)).toBe(true);
      const names = Array.from({ length: i % 3 }, () => changeNames[below(draw, changeNames.length)]!);
      const changed = names.reduce((at, name) => ({ n, proposal: CHANGES.get(name)!(draw, at) }), { n, proposal });
      const isJustified = oracle.isProposalJustified(n, changed.proposal);
      expect(isTaken(changed), JSON.stringify({ names, ...changed })).toBe(isJustified);
      const outcome = `${names.length === 1 ? names[0] : names.length}: ${isJustified}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    // Each change alone spoils some of the proposals, or it would show nothing.
    for (const name of changeNames.filter(each => !HARMLESS.has(each)))
      expect(outcomes.get(`${name}: false`) ?? 0, name).toBeGreaterThan(20);
    for (const outcome of ['0: true', '2: true', '2: false']) expect(outcomes.get(outcome)).toBeGreaterThan(500);
  });

  it('takes the same round changes', () => {
    const draw = rng(2n);
    const outcomes = new Map<boolean, number>();
    for (let i = 0; i < CASES; i++) {
      const drawn = justifiedCase(draw);
      const { n } = drawn;
      const names = Array.from({ length: i % 3 }, () => changeNames[below(draw, changeNames.length)]!);
      const { proposal } = names.reduce((at, name) => ({ n, proposal: CHANGES.get(name)!(draw, at) }), drawn);
      const change = proposal.roundChanges?.[0];
      if (change === undefined) continue;
      const { prepared, height, round: view } = change;
      // Nothing prepared has no place for prepares in the message.
      const prepares = prepared === null ? [] : proposal.prepares;
      const certificate = prepared && {
        ...{ view: prepared.round, block: prepared.block },
        signatures: prepares.map(signedPrepare),
      };
      const isTaken =
        areSigned({ type: 'round-change', height, view, prepared: certificate }) &&
        isRoundChangeJustified(equals(n), byzantineQuorum(n), view, certificate);
      const isJustified = oracle.isRoundChangeJustified(n, change, prepares);
      expect(isTaken, JSON.stringify({ names, n, change, prepares })).toBe(isJustified);
      outcomes.set(isJustified, (outcomes.get(isJustified) ?? 0) + 1);
    }
    expect(Math.min(outcomes.get(true)!, outcomes.get(false)!)).toBeGreaterThan(1000);
  });

  it('a minimal quorum flips with any one round change or prepare less, and does not with one twice', () => {
    const set = equals(4);
    const named = { view: 0, block: idOf(1) };
    const roundChanges = [1, 2, 3].map(i => ({ signer: keyOf(i), prepared: i === 2 ? named : null, signature }));
    const prepares = [2, 3, 4].map(i => ({ signer: keyOf(i), signature }));
    const judge = (changes: typeof roundChanges, votes: typeof prepares) =>
      judgeProposal(set, 3, 1, idOf(1), { roundChanges: changes, prepares: votes });
    expect(judge(roundChanges, prepares)).toBe('repeated');
    for (let i = 0; i < 3; i++) {
      expect(judge(roundChanges.toSpliced(i, 1), prepares)).toBeNull();
      expect(judge(roundChanges, prepares.toSpliced(i, 1))).toBeNull();
      expect(judge([...roundChanges.toSpliced(2, 1), roundChanges[1]!], prepares)).toBeNull();
      expect(judge(roundChanges, [...prepares.toSpliced(i, 1), prepares[(i + 1) % 3]!])).toBeNull();
    }
  });
});
