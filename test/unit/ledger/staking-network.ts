/** The small network under proof of stake: 400 of QRT bonded by four accounts on four validators, ten base units a unit. */
import { sign } from '#crypto';
import type { BlockState } from '../../../ledger/block-state.ts';
import { publicKeyText } from '../../../ledger/crypto/keys.ts';
import { rewardPool } from '../../../ledger/modules/staking/params.ts';
import { type Stake, stakes } from '../../../ledger/modules/staking/stake.ts';
import { balanceOf, tokens } from '../../../ledger/modules/tokens/token.ts';
import { assert } from '../../../ledger/types/assert.ts';
import { votePayload } from '../../../ledger/types/certificate.ts';
import type { BlockId, ChainId, PublicKey } from '../../../ledger/types/ids.ts';
import type { Receipt } from '../../../ledger/types/receipt.ts';
import type { IdentifiedTransaction } from '../../../ledger/types/transaction.ts';
import {
  alice,
  applied,
  board,
  bob,
  CHAIN_ID,
  clerk,
  type GenesisJson,
  type Holder,
  key,
  manager,
  type Network,
  network,
  stranger,
  verdict,
} from './network.ts';

export const UNBONDING_BLOCKS = 5;
export const validator = (i: number): PublicKey => key(100 + i);

export const bondJson = (i: number, of: Holder, amount: number) => ({
  ...{ validator: publicKeyText(validator(i)), account: of.address, amount: String(amount) },
});

/** Validators 0 to 3 have a power of ten each; the rewards last for twenty base units. */
export const stakingJson = () => ({
  ...{ token: 'QRT', unit: '10', unbondingBlocks: UNBONDING_BLOCKS, slashPercent: 10 },
  ...{ rewardPpt: 1_000_000_000, rewards: '20' },
  bonds: [bondJson(0, alice, 100), bondJson(1, bob, 100), bondJson(2, clerk, 60), bondJson(2, manager, 40)].concat(
    bondJson(3, manager, 100),
  ),
});
export type StakingJson = ReturnType<typeof stakingJson>;
export type PosJson = GenesisJson & { modules: { staking: StakingJson } };

export const withStaking =
  (change: (json: PosJson) => void = () => {}) =>
  (json: GenesisJson): void => {
    json.consensus.engine = 'pos';
    (json as PosJson).modules.staking = stakingJson();
    change(json as PosJson);
  };

export const staked = (change?: (json: PosJson) => void): Network => network(withStaking(change));

export interface Played {
  readonly state: BlockState;
  /** Of the last transaction. */
  readonly receipt: Receipt;
  readonly verdict: string;
}

/** Blocks above `state`: one for each list of transactions, and as many empty ones as a number says. */
export function play(
  net: Network,
  from: BlockState,
  ...blocks: readonly (readonly IdentifiedTransaction[] | number)[]
): Played {
  let state = from;
  let receipt: Receipt | undefined;
  for (const block of blocks) {
    const contents = typeof block === 'number' ? Array.from({ length: block }, () => []) : [block];
    for (const transactions of contents) {
      const next = applied(net.rules, state, transactions, state.header.time + 100);
      state = next.state;
      receipt = next.receipts.at(-1) ?? receipt;
    }
  }
  assert(receipt, 'nothing was played');
  return { state, receipt, verdict: verdict(receipt) };
}

export function stakeOf(state: BlockState, i: number): Stake {
  const stake = stakes.get(state.tree, validator(i));
  assert(stake, 'no such validator');
  return stake;
}

/** The amount bonded and the amounts on their way out, of one account with one validator. */
export function bondOf(state: BlockState, i: number, of: Holder): readonly bigint[] {
  const bond = stakeOf(state, i).bonds.find(each => each.account === of.address);
  return bond === undefined ? [] : [bond.amount, ...bond.leaving.map(each => each.amount)];
}

/** The powers of validators 0, 1, …; 0 for one that is not in the set. */
export const powers = (state: BlockState, count = 4): readonly number[] =>
  Array.from({ length: count }, (_, i) => state.validators.find(each => each.key === validator(i))?.power ?? 0);

/** Where all of QRT is, and what the ledger says there is. */
export function whereabouts(state: BlockState, validators: readonly PublicKey[]) {
  const { tree } = state;
  let held = 0n;
  for (const { address } of [alice, bob, clerk, manager, board, stranger]) held += balanceOf(tree, 'QRT', address);
  let atStake = 0n;
  for (const each of validators)
    for (const { amount, leaving } of stakes.get(tree, each)?.bonds ?? [])
      atStake += leaving.reduce((sum, part) => sum + part.amount, amount);
  return { held, atStake, rewards: rewardPool.get(tree) ?? 0n, supply: tokens.get(tree, 'QRT')?.supply ?? 0n };
}

export const blockOf = (n: number): BlockId => n.toString(16).padStart(64, '0') as BlockId;

/** A statement under the real key of validator `i`. */
export function statement(
  i: number,
  phase: 'proposal' | 'prepare' | 'commit',
  height: number,
  view: number,
  block: BlockId,
  chainId: string = CHAIN_ID,
) {
  const secret = new Uint8Array(32).fill(100 + i).fill(0, 0, 1);
  const payload = votePayload(`quorate/pbft/${phase}/1`, chainId as ChainId, height, view, block);
  return { block, signature: sign({ type: 'ed25519', secret }, payload) };
}
