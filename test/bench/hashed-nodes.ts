import { committedLength } from '../../ledger/state/leaf.ts';
import { isBranch, type Node, open } from '../../ledger/state/node.ts';

/** Of each node that `after` does not share with `before`, how many bytes were hashed for it. */
export function hashedBetween(before: Node | null, after: Node | null): number[] {
  if (after === null || after === before) return [];
  if (!isBranch(after)) return [committedLength(after)];
  const { children, committed } = open(after);
  const earlier = isBranch(before) ? open(before).children : null;
  return [committed.length, ...children.flatMap((child, slot) => hashedBetween(earlier?.[slot] ?? null, child))];
}
