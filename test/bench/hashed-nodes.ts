import { committedLength } from '../../ledger/state/leaf.ts';
import { isBranch, type Node } from '../../ledger/state/node.ts';

/** Of each node that `after` does not share with `before`, how many bytes were hashed for it. */
export function hashedBetween(before: Node | null, after: Node | null): number[] {
  if (after === null || after === before) return [];
  if (!isBranch(after)) return [committedLength(after)];
  const below = after.children.flatMap((child, slot) =>
    hashedBetween(isBranch(before) ? before.children[slot]! : null, child),
  );
  return [after.committed.length, ...below];
}
