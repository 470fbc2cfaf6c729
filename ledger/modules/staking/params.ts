import { type Codec, struct, uint } from '../../types/codec.ts';
import { type ChainId, chainId } from '../../types/ids.ts';
import { entry } from '../operation.ts';
import { amount, positiveAmount, tokenId } from '../tokens/token.ts';

/** How a network stakes, as genesis says. Without these there is no staking, and every operation of it is refused. */
export interface StakingTerms {
  /** The token that is bonded. */
  readonly token: string;
  /** Base units for one unit of voting power. */
  readonly unit: bigint;
  /** Stake that leaves stays at stake for this many blocks more, and evidence counts for as long. */
  readonly unbondingBlocks: number;
  /** The part that an equivocation burns. */
  readonly slashPercent: number;
  /** What a bond earns in one block, in trillionths of itself, while the rewards last. */
  readonly rewardPpt: number;
}

export interface StakingParams extends StakingTerms {
  /** Of the statements that evidence is made of. */
  readonly chainId: ChainId;
}

/** Ten years of fifty blocks a second: beyond, a typing error. */
export const UNBONDING_BLOCKS_MAX = 2 ** 34;
export const SLASH_PERCENT_MAX = 100;
/** A thousandth of the bond for each block: beyond, a typing error. */
export const REWARD_PPT_MAX = 1_000_000_000;

export const termsFields = {
  token: tokenId,
  unit: positiveAmount,
  unbondingBlocks: uint(UNBONDING_BLOCKS_MAX),
  slashPercent: uint(SLASH_PERCENT_MAX),
  rewardPpt: uint(REWARD_PPT_MAX),
} satisfies { readonly [K in keyof StakingTerms]: Codec<StakingTerms[K]> };

export const stakingParams = entry(struct<StakingParams>({ chainId, ...termsFields }), () => 'staking/params');

/** What is left to be earned. Part of the token's supply. */
export const rewardPool = entry(amount, () => 'staking/rewards');
