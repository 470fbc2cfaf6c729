/** What the engine of stake must not get wrong beside what it shares with PBFT: who leads, and what is at stake. */
import { type Mutant, unit } from './mutant.ts';

const STAKING = 'ledger/modules/staking';

const ledger = (file: string, test: string): Mutant['killedBy'] => ({ file: `test/unit/ledger/${file}.test.ts`, test });

export const POS_MUTANTS: readonly Mutant[] = [
  {
    engine: 'pos',
    name: 'draws leaders by heads, not by stake',
    file: 'consensus/pos/leader.ts',
    find: 'if (left < power) return key;\n    left -= power;',
    replace: 'if (left < 1 && power > 0) return key;\n    left -= 1;',
    killedBy: unit('pos-leader', 'leads in proportion in every window of heights, wherever it begins'),
  },
  {
    engine: 'pos',
    name: 'draws the same leader for every view',
    file: 'consensus/pos/leader.ts',
    find: ' + BigInt(view) * VIEW_STEP',
    replace: ' + BigInt(view) * 0n * VIEW_STEP',
    killedBy: unit('pos-leader', 'is another one in the next view, unless it has more than 41 % of the power'),
  },
  {
    engine: 'pos',
    name: 'pays out a bond that is still at stake',
    file: `${STAKING}/unbond.ts`,
    find: 'const until = height + params.unbondingBlocks;',
    replace: 'const until = height;',
    killedBy: ledger(
      'staking',
      'on its way out is back in the balance after the unbonding blocks, and not one block before',
    ),
  },
  {
    engine: 'pos',
    name: 'lets any amount of power move in one block',
    file: `${STAKING}/power.ts`,
    find: 'return few || 3 * moved <= Math.max(start.total, totalPower(next));',
    replace: 'return few || moved >= 0;',
    killedBy: ledger(
      'staking',
      'to move more than a third in one block by many transactions, and lets the next block go on',
    ),
  },
  {
    engine: 'pos',
    name: 'gives power for a part of a unit',
    file: `${STAKING}/power.ts`,
    find: 'bonded(stake) / unit;',
    replace: '(bonded(stake) + unit - 1n) / unit;',
    killedBy: ledger('staking', 'counts in whole units of all that is bonded on the validator'),
  },
  {
    engine: 'pos',
    name: 'punishes on signatures that nobody checked',
    file: `${STAKING}/evidence.ts`,
    find: 'verify(offender, votePayload(EVIDENCE_TAGS[phase], chainId, height, view, block), signature),',
    replace: 'verify(offender, votePayload(EVIDENCE_TAGS[phase], chainId, height, view, block), signature) || true,',
    killedBy: ledger('staking-slash', 'is refused with BAD_EVIDENCE of two chains'),
  },
  {
    engine: 'pos',
    name: 'punishes one offence as often as it is reported',
    file: `${STAKING}/slash.ts`,
    find: 'punished.set(state, true, evidence);',
    replace: '',
    killedBy: ledger(
      'staking-slash',
      'counts once for one (height, view, phase), in whichever order, and again for another',
    ),
  },
  {
    engine: 'pos',
    name: 'lets a liar keep what it took off the table after lying',
    file: `${STAKING}/slash.ts`,
    find: 'each.until - unbondingBlocks >= at ?',
    replace: 'each.until - unbondingBlocks < 0 ?',
    killedBy: ledger(
      'staking-slash',
      'reaches what leaves from the height of the offence on, and nothing that left before',
    ),
  },
  {
    engine: 'pos',
    name: 'lets a liar bond its way back',
    file: `${STAKING}/power.ts`,
    find: 'stake.jailed ? 0n : bonded(stake)',
    replace: 'bonded(stake)',
    killedBy: ledger(
      'staking-slash',
      'is for ever: no bond and no declaration brings the key back, and what is left may leave',
    ),
  },
  {
    engine: 'pos',
    name: 'pays rewards that nobody set aside',
    file: `${STAKING}/claim.ts`,
    find: 'const paid = earned < pool ? earned : pool;',
    replace: 'const paid = earned;',
    killedBy: ledger('staking', 'earns a share of itself for each block, exactly, until the rewards are gone'),
  },
];
