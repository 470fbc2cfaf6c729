/** Values as the state tree keeps them: packed behind each other in a string. */
import { assert } from '../types/assert.ts';
import { type Bytes, fromBinary, toBinary } from '../types/bytes.ts';

const LENGTH_BYTES = 3;
const VALUE_BYTES_MAX = 2 ** (8 * LENGTH_BYTES) - 1;

/** A value as it is in a leaf: its length, big-endian, and its bytes. */
export function packValue(value: Bytes): string {
  const { length } = value;
  assert(length <= VALUE_BYTES_MAX, 'a value too large for the state');
  return String.fromCharCode(length >>> 16, (length >>> 8) & 0xff, length & 0xff) + toBinary(value);
}

const packedLength = (packed: string, at: number): number =>
  (packed.charCodeAt(at) << 16) | (packed.charCodeAt(at + 1) << 8) | packed.charCodeAt(at + 2);

/** Where the packed value that begins at `at` ends. */
export const packedEnd = (packed: string, at: number): number => at + LENGTH_BYTES + packedLength(packed, at);

/** The value that is packed at `at`. */
export const unpackValue = (packed: string, at: number): Bytes =>
  fromBinary(packed, at + LENGTH_BYTES, packedLength(packed, at));
