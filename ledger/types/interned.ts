/**
 * Texts of byte strings that come again and again: addresses, keys, the names of chains and operations. To make such a text
 * costs several times what it costs to find it, and what is made anew for each transaction has to be collected again.
 */
import { assert } from './assert.ts';
import type { Bytes } from './bytes.ts';

/** The text of the `length` bytes from `at` on. */
export type Interned<T extends string> = (bytes: Bytes, at: number, length: number) => T;

/**
 * Keeps up to `slots` texts (a power of two) of at most `lengthMax` bytes; longer ones are made each time. Each has a pair of
 * slots, in which the last two that were made stand: anyone can name new ones, and nobody can make the table grow. What
 * `make` says depends on the bytes alone; where it throws, nothing is kept.
 */
export function interned<T extends string>(slots: number, lengthMax: number, make: (bytes: Bytes) => T): Interned<T> {
  assert(
    slots >= 2 && (slots & (slots - 1)) === 0 && lengthMax <= 0xff,
    'a table of interned texts is of a wrong size',
  );
  const width = 1 + lengthMax;
  let texts: (T | undefined)[] = [];
  /** For each slot the length and the bytes of its text; laid out when the first comes. */
  let keys = new Uint8Array(0);

  function holds(slot: number, bytes: Bytes, at: number, length: number): boolean {
    const from = slot * width;
    if (texts[slot] === undefined || keys[from] !== length) return false;
    for (let i = 0; i < length; i++) if (keys[from + 1 + i] !== bytes[at + i]) return false;
    return true;
  }

  return (bytes, at, length) => {
    if (length > lengthMax) return make(bytes.subarray(at, at + length));
    const newer = mixed(bytes, at, length) & (slots - 2);
    const older = newer + 1;
    if (holds(newer, bytes, at, length)) return texts[newer]!;
    if (holds(older, bytes, at, length)) return texts[older]!;
    const key = bytes.subarray(at, at + length);
    const text = make(key);
    if (texts.length === 0) {
      texts = new Array<T | undefined>(slots);
      keys = new Uint8Array(slots * width);
    }
    texts[older] = texts[newer];
    keys.copyWithin(older * width, newer * width, older * width);
    texts[newer] = text;
    keys[newer * width] = length;
    keys.set(key, newer * width + 1);
    return text;
  };
}

/** FNV-1a, with its upper bits folded into the lower ones, which choose the slot. */
function mixed(bytes: Bytes, at: number, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ bytes[at + i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}
