/**
 * The justification predicates of QBFT over whole signed messages, after its formal specification (Consensys,
 * qbft-formal-spec-and-verification, L1: validRoundChange, isHighestPrepared, isProposalJustification). Written apart from
 * `consensus/bft/justification.ts`, from which it differs in form: here every message says what it signs, and none is trusted to.
 *
 * It departs from the specification where this protocol does. The quorum is floor(2n/3) + 1; theirs is less at 3, 6 and 9. What a
 * stranger signed counts for no quorum; there it spoils the set. Attachments that prove nothing are refused: any in view 0, and prepares
 * where no round change names a block; there they are ignored.
 */
import type { BlockId } from '../../../ledger/types/ids.ts';

/** Validators are 0 to n - 1, strangers whoever is above. */
type Sender = number;

export interface RoundChange {
  readonly sender: Sender;
  readonly height: number;
  readonly round: number;
  readonly prepared: { readonly round: number; readonly block: BlockId } | null;
}

export interface Prepare {
  readonly sender: Sender;
  readonly height: number;
  readonly round: number;
  readonly block: BlockId;
}

export interface Proposal {
  readonly height: number;
  readonly round: number;
  readonly block: BlockId;
  /** null: no attachments at all. */
  readonly roundChanges: readonly RoundChange[] | null;
  readonly prepares: readonly Prepare[];
}

const quorum = (n: number): number => Math.floor((2 * n) / 3) + 1;

/** How many validators there are among the senders, each once. */
const validatorsIn = (n: number, messages: readonly { readonly sender: Sender }[]): number =>
  Array.from({ length: n }, (_, i) => i).filter(i => messages.some(({ sender }) => sender === i)).length;

const isValidRoundChange = (height: number, round: number, change: RoundChange): boolean =>
  change.height === height && change.round === round && (change.prepared === null || change.prepared.round < round);

const isHighest = (changes: readonly RoundChange[], { prepared }: RoundChange): boolean =>
  prepared !== null && changes.every(other => other.prepared === null || other.prepared.round <= prepared.round);

const isQuorumOfPrepares = (
  n: number,
  height: number,
  round: number,
  block: BlockId,
  prepares: readonly Prepare[],
): boolean =>
  validatorsIn(n, prepares) >= quorum(n) &&
  prepares.every(each => each.height === height && each.round === round && each.block === block);

export function isProposalJustified(n: number, { height, round, block, roundChanges, prepares }: Proposal): boolean {
  if (round === 0) return roundChanges === null;
  if (roundChanges === null || validatorsIn(n, roundChanges) < quorum(n)) return false;
  if (!roundChanges.every(each => isValidRoundChange(height, round, each))) return false;
  if (roundChanges.every(each => each.prepared === null)) return prepares.length === 0;
  return roundChanges.some(
    each =>
      isHighest(roundChanges, each) &&
      each.prepared!.block === block &&
      isQuorumOfPrepares(n, height, each.prepared!.round, block, prepares),
  );
}

/** A round change with the prepares behind it, as a validator sends it. */
export function isRoundChangeJustified(n: number, change: RoundChange, prepares: readonly Prepare[]): boolean {
  const { height, round, prepared } = change;
  if (prepared === null) return prepares.length === 0;
  return prepared.round < round && isQuorumOfPrepares(n, height, prepared.round, prepared.block, prepares);
}
