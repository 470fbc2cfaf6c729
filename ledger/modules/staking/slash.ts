import { assert } from '../../types/assert.ts';
import { bool } from '../../types/codec.ts';
import type { Height } from '../../types/ids.ts';
import { entryAt, operation, refuse } from '../operation.ts';
import { tokens } from '../tokens/token.ts';
import { type Equivocation, equivocation, signedBoth } from './evidence.ts';
import { type StakingParams, stakingParams } from './params.ts';
import { putStake } from './power.ts';
import { type Bond, bonded, earnedUntil, type Stake, stakes, withBond } from './stake.ts';

/** What was punished already, so that no lie is punished twice. */
const punished = entryAt(
  bool,
  ({ offender, height, view, phase }: Equivocation) => `staking/slashed/${offender}/${height}/${view}/${phase}`,
);

/** What is left of an amount, with the burnt part rounded up: no share is too small to lose something. */
const cut = (amount: bigint, percent: number): bigint => amount - (amount * BigInt(percent) + 99n) / 100n;

/**
 * A bond after an offence at height `at`. What had left before that height was not at stake in it any more; all that is
 * bonded now is, whenever it came: who stakes on a validator answers for it.
 */
function cutBond({ slashPercent, unbondingBlocks }: StakingParams, bond: Bond, at: Height): Bond {
  const leaving = bond.leaving
    .map(each => (each.until - unbondingBlocks >= at ? { ...each, amount: cut(each.amount, slashPercent) } : each))
    .filter(each => each.amount > 0n);
  return { ...bond, amount: cut(bond.amount, slashPercent), leaving };
}

const total = (stake: Stake): bigint =>
  stake.bonds.reduce((sum, { leaving }) => leaving.reduce((part, each) => part + each.amount, sum), bonded(stake));

/**
 * Punishes a validator that signed two blocks in one phase of one (height, view), on evidence from anyone: burns the network's
 * part of all that is at stake on it and takes its power for ever. Refuses, in this order: STAKING_OFF, UNKNOWN_VALIDATOR,
 * SAME_STATEMENT (one block, so no lie), EVIDENCE_IN_FUTURE, EVIDENCE_TOO_OLD (what was at stake may have left),
 * ALREADY_SLASHED (for this), BAD_EVIDENCE (a signature is not the offender's for this), LAST_VALIDATOR.
 */
export const slash = operation({
  kind: 'staking.slash',
  schema: equivocation,
  apply(context, evidence) {
    const { state, height, emit } = context;
    const { offender } = evidence;
    const params = stakingParams.get(state);
    if (params === null) return refuse('STAKING_OFF');
    const before = stakes.get(state, offender);
    if (before === null) return refuse('UNKNOWN_VALIDATOR', offender);
    if (evidence.first.block === evidence.second.block) return refuse('SAME_STATEMENT', evidence.first.block);
    if (evidence.height > height) return refuse('EVIDENCE_IN_FUTURE', String(evidence.height));
    if (evidence.height + params.unbondingBlocks < height) return refuse('EVIDENCE_TOO_OLD', String(evidence.height));
    if (punished.get(state, evidence) !== null) return refuse('ALREADY_SLASHED', offender);
    if (!signedBoth(params.chainId, evidence)) return refuse('BAD_EVIDENCE', offender);
    const after = before.bonds.reduce<Stake>(
      (stake, bond) => withBond(stake, cutBond(params, earnedUntil(params, before, bond, height), evidence.height)),
      { ...before, jailed: true },
    );
    const burnt = total(before) - total(after);
    const token = tokens.get(state, params.token);
    assert(token !== null && token.supply >= burnt, 'more at stake than there is');
    tokens.set(state, { ...token, supply: token.supply - burnt }, params.token);
    punished.set(state, true, evidence);
    emit('staking.slashed', { validator: offender, height: String(evidence.height), burnt: String(burnt) });
    return putStake(context, params, offender, after);
  },
});
