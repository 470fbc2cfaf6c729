/** How a network whose power follows what is bonded begins. */
import type { NetworkPlan, StakingPlan } from './plan.ts';

/** The engine that needs bonds. */
const STAKED = 'pos';

/** A thousand tokens of two decimals on each validator; rewards of 10 % a year at one block in a second, for as long as they last. */
const STAKING: Omit<StakingPlan, 'token'> = { unit: 100n, power: 1_000, rewards: 10_000_000n, rewardPpt: 3_169 };

/** The plan, with bonds in `token` where its engine needs them. */
export const withBonds = (plan: NetworkPlan, token: string): NetworkPlan =>
  plan.engine === STAKED ? { ...plan, staking: { token, ...STAKING } } : plan;
