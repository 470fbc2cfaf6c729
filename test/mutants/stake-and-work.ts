/** What the engines of stake and of work must not get wrong beside what they share with others. */
import { type Mutant, unit } from './mutant.ts';

export const STAKE_AND_WORK_MUTANTS: readonly Mutant[] = [
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
    engine: 'pow',
    name: 'takes a block whose hash misses the target',
    file: 'consensus/pow/rules.ts',
    find: "return meets(id, expected.hardness) ? null : 'TARGET_MISSED';",
    replace: 'return null;',
    killedBy: unit('pow-rules', 'not found'),
  },
  {
    engine: 'pow',
    name: 'calls a block final one too soon',
    file: 'consensus/pow/branches.ts',
    find: 'tip.header.height - params.finalityDepth)',
    replace: 'tip.header.height - params.finalityDepth + 1)',
    killedBy: unit('pow-branches', 'a block is final with six above it, durably before the ledger hears of it'),
  },
  {
    engine: 'pow',
    name: 'lets a branch leave the final block',
    file: 'consensus/pow/branches.ts',
    find: 'if (leavesFinal(state, id, header) || headerFault(',
    replace: 'if (headerFault(',
    killedBy: unit('pow-mining', 'with a ledger that fell back does not leave what was final'),
  },
  {
    engine: 'pow',
    name: 'follows the lighter branch',
    file: 'consensus/fork-tree.ts',
    find: 'a.weight === b.weight ? a.id < b.id : a.weight > b.weight;',
    replace: 'a.weight === b.weight ? a.id < b.id : a.weight < b.weight;',
    killedBy: unit('pow-branches', 'more work wins over more blocks'),
  },
];
