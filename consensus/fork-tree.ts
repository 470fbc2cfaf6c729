/**
 * Headers as a tree, each with the weight of the whole branch that ends in it: pure functions over plain data, for engines in
 * which blocks compete. The root is the block below which nothing is reconsidered: every branch stands on it, and moving it up
 * forgets the branches that do not stand on the new one.
 */
import { assert } from '../ledger/types/assert.ts';
import type { Header } from '../ledger/types/header.ts';
import type { BlockId, Height } from '../ledger/types/ids.ts';

/** A block in the tree. */
export interface Tip {
  readonly id: BlockId;
  readonly header: Header;
  /** Of all blocks from the beginning of the chain to this one: work done, or votes cast. */
  readonly weight: bigint;
}

export interface ForkTree {
  root: Tip;
  /** All blocks, the root among them. */
  readonly blocks: Map<BlockId, Tip>;
}

export const forkTree = (root: Tip): ForkTree => ({ root, blocks: new Map([[root.id, root]]) });

/** The heavier branch, or of two that weigh the same the lower id: an order that is the same on every node. */
export const isBetter = (a: Pick<Tip, 'id' | 'weight'>, b: Pick<Tip, 'id' | 'weight'>): boolean =>
  a.weight === b.weight ? a.id < b.id : a.weight > b.weight;

/** Adds a block whose parent is in the tree. */
export function insert(tree: ForkTree, tip: Tip): void {
  const parent = tree.blocks.get(tip.header.parent);
  assert(parent !== undefined && tip.header.height === parent.header.height + 1, 'a block that stands on nothing');
  assert(tip.weight >= parent.weight, 'a block of negative weight');
  tree.blocks.set(tip.id, tip);
}

/** The best block that `counts`. Whoever needs it to stand on blocks that count has to see to that. */
export function best(tree: ForkTree, counts: (id: BlockId) => boolean): Tip | null {
  let chosen: Tip | null = null;
  for (const tip of tree.blocks.values())
    if (counts(tip.id) && (chosen === null || isBetter(tip, chosen))) chosen = tip;
  return chosen;
}

/** The blocks above `from` as far as `to`, in order of height; null where `to` does not stand on `from`. */
export function path(tree: ForkTree, from: BlockId, to: BlockId): readonly Tip[] | null {
  const tips: Tip[] = [];
  for (let at = to; at !== from; ) {
    const tip = tree.blocks.get(at);
    if (tip === undefined || at === tree.root.id) return null;
    tips.push(tip);
    at = tip.header.parent;
  }
  return tips.reverse();
}

/** The block at `height` that `id` stands on, itself included; null outside the tree. */
export function ancestorAt(tree: ForkTree, id: BlockId, height: Height): Tip | null {
  let tip = tree.blocks.get(id);
  while (tip !== undefined && tip.header.height > height) tip = tree.blocks.get(tip.header.parent);
  return tip?.header.height === height ? tip : null;
}

/** The highest block that both stand on. Both are in the tree. */
export function commonAncestor(tree: ForkTree, a: BlockId, b: BlockId): Tip {
  let left = tree.blocks.get(a);
  let right = tree.blocks.get(b);
  while (left !== undefined && right !== undefined && left.id !== right.id) {
    if (left.header.height >= right.header.height) left = tree.blocks.get(left.header.parent);
    else right = tree.blocks.get(right.header.parent);
  }
  assert(left !== undefined && right !== undefined, 'two blocks without a common root');
  return left;
}

/** Takes a block out with all that stands on it, and answers their ids. */
export function removeBranch(tree: ForkTree, id: BlockId): readonly BlockId[] {
  assert(id !== tree.root.id, 'the root cannot be taken out');
  const removed = standingOn(tree, id);
  for (const each of removed) tree.blocks.delete(each);
  return removed;
}

/** Makes a block of the tree its root, and answers the ids that do not stand on it. */
export function moveRoot(tree: ForkTree, id: BlockId): readonly BlockId[] {
  const root = tree.blocks.get(id);
  assert(root, 'the new root is not in the tree');
  const kept = new Set(standingOn(tree, id));
  const removed = [...tree.blocks.keys()].filter(each => !kept.has(each));
  for (const each of removed) tree.blocks.delete(each);
  tree.root = root;
  return removed;
}

/** Takes out the worst blocks that nothing stands on until at most `count` are left; never what `kept` stands on. */
export function thin(tree: ForkTree, count: number, kept: BlockId): readonly BlockId[] {
  const removed: BlockId[] = [];
  const standing = new Set<BlockId>([tree.root.id, ...(path(tree, tree.root.id, kept) ?? []).map(each => each.id)]);
  while (tree.blocks.size > count) {
    const parents = new Set([...tree.blocks.values()].map(each => each.header.parent));
    let worst: Tip | null = null;
    for (const tip of tree.blocks.values()) {
      if (standing.has(tip.id) || parents.has(tip.id)) continue;
      if (worst === null || isBetter(worst, tip)) worst = tip;
    }
    if (worst === null) return removed;
    tree.blocks.delete(worst.id);
    removed.push(worst.id);
  }
  return removed;
}

/** `id` and all that stands on it. */
function standingOn(tree: ForkTree, id: BlockId): BlockId[] {
  const children = new Map<BlockId, BlockId[]>();
  for (const { id: child, header } of tree.blocks.values()) {
    const siblings = children.get(header.parent);
    if (siblings === undefined) children.set(header.parent, [child]);
    else siblings.push(child);
  }
  const standing = [id];
  for (const each of standing) standing.push(...(children.get(each) ?? []));
  return standing;
}
