/**
 * What is put into the state tree and taken out of it, each one string: a start makes one for every key there is, and three
 * objects for each would take as long to collect again as all the hashing.
 */
import { sha256Binary } from '#crypto';
import { assert } from '../types/assert.ts';
import type { Bytes } from '../types/bytes.ts';
import { comparePaths, DIGEST_BYTES, type Digest } from './path.ts';
import { packValue } from './value.ts';

/** Path, digest of the value, packed value; of an entry on its way out the path alone. */
export type Change = string;

/** A {@link Change} that has a value. */
export type Entry = string;

export const entryOf = (path: Digest, value: Bytes): Entry => path + valueDigest(value) + packValue(value);

export const isEntry = (change: Change): change is Entry => change.length > DIGEST_BYTES;

export const valueDigest = (value: Bytes): Digest => sha256Binary(value);

/** Puts changes in ascending order of path; one path twice is a bug, and thrown. */
export function sortByPath(changes: Change[]): void {
  changes.sort((a, b) => comparePaths(a, 0, b, 0));
  for (let i = 1; i < changes.length; i++)
    assert(comparePaths(changes[i - 1]!, 0, changes[i]!, 0) < 0, 'one key twice');
}
