import { type Address, address } from '../../types/address.ts';
import { compareText } from '../../types/bytes.ts';
import { ascending, bigUint, bool, list, struct } from '../../types/codec.ts';
import { type Height, height, type MemberId, memberId, type NodeId } from '../../types/ids.ts';
import { name } from '../names.ts';
import { entry } from '../operation.ts';
import { amount, positiveAmount } from '../tokens/token.ts';
import type { StakingParams } from './params.ts';

/** Accounts that stake on one validator. All of a validator's stake is one entry of the state, which this keeps below 20 KB. */
export const BONDS_MAX = 64;
/** Parts of one bond that are on their way out at a time. */
export const LEAVING_MAX = 8;
/** Earnings are counted in trillionths of a base unit, so that no part of a block's is lost. */
export const EARNED_UNIT = 1_000_000_000_000n;
const EARNED_BYTES = 32;

/** A part of a bond that is on its way out: without power, and still at stake. */
export interface Leaving {
  readonly amount: bigint;
  /** It can be withdrawn in blocks above this height. */
  readonly until: Height;
}

/** What one account has staked on one validator. */
export interface Bond {
  readonly account: Address;
  readonly amount: bigint;
  /** The height up to which `earned` is counted. */
  readonly since: Height;
  /** In units of 1 / {@link EARNED_UNIT} of a base unit. */
  readonly earned: bigint;
  /** In the order in which they left. */
  readonly leaving: readonly Leaving[];
}

/** A validator, with all that is staked on it. */
export interface Stake {
  readonly member: MemberId;
  readonly name: string;
  /** It signed two things at once: it has no power any more, whatever is bonded, and never will. */
  readonly jailed: boolean;
  /** In ascending order of account. */
  readonly bonds: readonly Bond[];
}

const bond = struct<Bond>({
  account: address,
  amount,
  since: height,
  earned: bigUint(EARNED_BYTES),
  leaving: list(struct<Leaving>({ amount: positiveAmount, until: height }), LEAVING_MAX),
});

export const stakes = entry(
  struct<Stake>({
    member: memberId,
    name,
    jailed: bool,
    bonds: ascending(bond, BONDS_MAX, (a, b) => compareText(a.account, b.account)),
  }),
  (validator: NodeId) => `staking/stake/${validator}`,
);

/** What counts as power. */
export const bonded = ({ bonds }: Stake): bigint => bonds.reduce((sum, each) => sum + each.amount, 0n);

/** An account's bond with its earnings up to `height`, null where it has none. Nothing is earned with a jailed validator. */
export function bondAt(params: StakingParams, stake: Stake, account: Address, height: Height): Bond | null {
  const bond = stake.bonds.find(each => each.account === account);
  return bond === undefined ? null : earnedUntil(params, stake, bond, height);
}

export function earnedUntil({ rewardPpt }: StakingParams, { jailed }: Stake, bond: Bond, height: Height): Bond {
  const rate = jailed ? 0n : BigInt(rewardPpt);
  return { ...bond, since: height, earned: bond.earned + bond.amount * BigInt(height - bond.since) * rate };
}

const isOver = ({ amount, earned, leaving }: Bond): boolean =>
  amount === 0n && earned < EARNED_UNIT && leaving.length === 0;

/** The stake with this bond in place of the account's former one, or without it where nothing is left of it. */
export function withBond(stake: Stake, bond: Bond): Stake {
  const others = stake.bonds.filter(each => each.account !== bond.account);
  const bonds = isOver(bond) ? others : [...others, bond].sort((a, b) => compareText(a.account, b.account));
  return { ...stake, bonds };
}
