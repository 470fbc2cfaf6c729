/** The checks themselves: what they must take, and what they must not. */
import { describe, expect, it } from 'vitest';
import type { BlockId } from '../../ledger/types/ids.ts';
import { onHealed } from './checks.ts';
import type { CertifiedBlock } from './disk.ts';
import { newWorld } from './world.ts';

const id = (name: string) => name as BlockId;
const chain = (...names: readonly string[]) => names.map(name => ({ block: { id: id(name) } }) as CertifiedBlock);

describe('healed nodes that have come to height 2, where some are at 3', () => {
  const { checks } = newWorld({ seed: 1, powers: [1] });
  for (const [i, name] of ['a', 'b', 'c'].entries()) checks.decided.set(i + 1, id(name));
  const judge = (slow: readonly CertifiedBlock[]) => () => onHealed(checks, 2, [chain('a', 'b', 'c'), slow]);

  it('may be behind in what came after', () => {
    expect(judge(chain('a', 'b'))).not.toThrow();
  });

  it.each([
    ['a block below is missing', chain('a')],
    ['a block below is another one', chain('a', 'x')],
  ])('are found out where %s', (_, slow) => {
    expect(judge(slow)).toThrow('block 2 was final and is not on a healed node');
  });
});
