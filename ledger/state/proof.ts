/** Proofs that a key has a value in the state with a given root, or that it has none (docs/protocol.md, "State tree"). */
import { sha256Binary } from '#crypto';
import { type Bytes, compareText } from '../types/bytes.ts';
import { ascending, type Codec, list, option, struct, uint } from '../types/codec.ts';
import { type Hash, hash } from '../types/ids.ts';
import { valueDigest } from './change.ts';
import { contentOf, ENTRY_BYTES, LEAF_ENTRIES_MAX, type Leaf, leafBytes } from './leaf.ts';
import { BRANCH_HEAD, bitmapOf, branchBytes, CHILDREN, EMPTY_DIGEST, isBranch, open, rank } from './node.ts';
import { DEPTH_MAX, DIGEST_BYTES, type Digest, fromHash, nibble, pathOf, toHash } from './path.ts';
import type { Tree } from './tree.ts';

/** A branch on the way to the key. */
export interface ProofBranch {
  /** Bit i: child i is there. */
  readonly bitmap: number;
  /** Hashes of the children that are there, in order, without the one on the way to the key. */
  readonly siblings: readonly Hash[];
}

export interface ProofEntry {
  /** SHA-256 of the key. */
  readonly path: Hash;
  /** SHA-256 of the value. */
  readonly value: Hash;
}

export interface StateProof {
  /** From the root down. */
  readonly branches: readonly ProofBranch[];
  /** The other entries of the leaf that the way ends in; null where it ends at a child that is not there. */
  readonly others: readonly ProofEntry[] | null;
}

export const stateProof: Codec<StateProof> = struct({
  branches: list(struct({ bitmap: uint(0xffff), siblings: list(hash, CHILDREN) }), DEPTH_MAX),
  others: option(
    ascending(struct({ path: hash, value: hash }), LEAF_ENTRIES_MAX, (a, b) => compareText(a.path, b.path)),
  ),
});

/** Why `key` has the value it has, or none, under the root of `tree`. */
export function proveState(tree: Tree, key: string): StateProof {
  const path = pathOf(key);
  const branches: ProofBranch[] = [];
  let node = tree.node;
  while (isBranch(node)) {
    const slot = nibble(path, branches.length);
    const { children, committed } = open(node);
    const child: typeof tree.node = children[slot]!;
    const bitmap = bitmapOf(committed);
    const siblings: Hash[] = digestsOf(committed.slice(BRANCH_HEAD)).map(toHash);
    if (child !== null) siblings.splice(rank(bitmap, slot), 1);
    branches.push({ bitmap, siblings });
    node = child;
  }
  return { branches, others: node === null ? null : othersOf(node, toHash(path)) };
}

function digestsOf(joined: string): Digest[] {
  const digests: Digest[] = [];
  for (let at = 0; at < joined.length; at += DIGEST_BYTES) digests.push(joined.slice(at, at + DIGEST_BYTES));
  return digests;
}

function othersOf(leaf: Leaf, path: Hash): ProofEntry[] {
  const others: ProofEntry[] = [];
  const { entries } = contentOf(leaf);
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    const [key, value] = digestsOf(entries.slice(at, at + ENTRY_BYTES)).map(toHash);
    if (key !== path) others.push({ path: key!, value: value! });
  }
  return others;
}

/**
 * Whether `proof` shows that in the state with this root `key` has `value`, or has none where `value` is null. Takes a
 * proof as {@link stateProof} decodes it, and no other proof than {@link proveState} gives.
 */
export function verifyStateProof(root: Hash, key: string, value: Bytes | null, proof: StateProof): boolean {
  const path = pathOf(key);
  const { branches, others } = proof;
  let node = bottomDigest(path, value, others);
  for (let depth = branches.length - 1; depth >= 0 && node !== null; depth--)
    node = branchDigest(branches[depth]!, nibble(path, depth), node);
  return node !== null && toHash(node === ABSENT ? EMPTY_DIGEST : node) === root;
}

/** Stands for the digest of a child that is not there. */
const ABSENT = '';

/** The digest of what the way ends in; null where the proof cannot be one of this key and value. */
function bottomDigest(path: Digest, value: Bytes | null, others: StateProof['others']): Digest | null {
  if (others === null) return value === null ? ABSENT : null;
  const entries = others.map(entry => fromHash(entry.path) + fromHash(entry.value));
  if (entries.some(entry => entry.startsWith(path))) return null;
  if (value !== null) entries.push(path + valueDigest(value));
  if (entries.length === 0 || entries.length > LEAF_ENTRIES_MAX) return null;
  return sha256Binary(leafBytes(entries.sort(compareText).join('')));
}

function branchDigest({ bitmap, siblings }: ProofBranch, slot: number, child: Digest): Digest | null {
  const present = (bitmap & (1 << slot)) !== 0;
  if (present !== (child !== ABSENT)) return null;
  if (siblings.length !== rank(bitmap, CHILDREN) - (present ? 1 : 0)) return null;
  const digests = siblings.map(fromHash);
  if (present) digests.splice(rank(bitmap, slot), 0, child);
  return sha256Binary(branchBytes(bitmap, digests.join('')));
}
