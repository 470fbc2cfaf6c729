/** How a network whose power follows what is bonded begins, unless its plan says otherwise. */
import type { StakingPlan } from './plan.ts';

/** The engine that needs bonds. */
export const STAKED = 'pos';

/** A thousand tokens of two decimals on each validator; rewards of 10 % a year at one block in a second, for as long as they last. */
export const STAKING: Omit<StakingPlan, 'token'> = {
  ...{ unit: 100n, power: 1_000, rewards: 10_000_000n, rewardPpt: 3_169 },
};
