/** Raw bytes. A value of this type is never written to after it has been handed to someone else. */
export type Bytes = Uint8Array;

export const EMPTY: Bytes = new Uint8Array(0);

/** An engine keeps arrays up to this length in its own heap; memory outside of it costs ten times as much to come by. */
const IN_HEAP_BYTES_MAX = 64;
/** Longer ones up to this length lie side by side in a piece of memory, which lives as long as any of them. */
const SIDE_BY_SIDE_BYTES_MAX = 2_048;
const PIECE_BYTES = 8_192;
let piece = new Uint8Array(PIECE_BYTES);
let used = 0;

/**
 * Room for `length` bytes, for the caller to fill before anybody sees it, and to let go soon: whoever keeps it may keep others
 * alive that lie beside it. What is kept for long, and counted by its length, has memory of its own.
 */
export function room(length: number): Bytes {
  if (length <= IN_HEAP_BYTES_MAX || length > SIDE_BY_SIDE_BYTES_MAX) return new Uint8Array(length);
  if (used + length > PIECE_BYTES) {
    piece = new Uint8Array(PIECE_BYTES);
    used = 0;
  }
  const at = used;
  used += length;
  return piece.subarray(at, used);
}

/**
 * What is kept lies side by side in pieces of this size. A hundred thousand transactions that wait, each the last one of its piece, take
 * 200 MB: in larger pieces a sender of many that are refused and few that wait could take more than a node has.
 */
export const KEPT_PIECE_BYTES = 2_048;
/** Longer ones have memory of their own, which is not much dearer than what they take of a piece. */
const KEPT_BYTES_MAX = 512;
let keptPiece = new Uint8Array(KEPT_PIECE_BYTES);
let keptUsed = 0;

/**
 * A copy that may be kept for long: what was decoded and waits. Memory of its own for each of thousands a second costs more than to
 * decode it, and for the collector as much again. Whoever keeps one keeps two KiB alive at most.
 */
export function keptCopyOf(bytes: Bytes): Bytes {
  if (bytes.length > KEPT_BYTES_MAX) return bytes.slice();
  if (keptUsed + bytes.length > KEPT_PIECE_BYTES) {
    keptPiece = new Uint8Array(KEPT_PIECE_BYTES);
    keptUsed = 0;
  }
  const at = keptUsed;
  keptUsed += bytes.length;
  keptPiece.set(bytes, at);
  return keptPiece.subarray(at, keptUsed);
}

/** The bytes from `start` up to `end`, in {@link room}. */
export function copyOf(bytes: Bytes, start = 0, end: number = bytes.length): Bytes {
  const copy = room(end - start);
  if (copy.length > IN_HEAP_BYTES_MAX) copy.set(bytes.subarray(start, end));
  // What a block writes is short for the most part, and a view to copy from would cost more than the copy.
  else for (let i = 0; i < copy.length; i++) copy[i] = bytes[start + i]!;
  return copy;
}

const DIGITS = Array.from('0123456789abcdef', digit => digit.charCodeAt(0));

/** Ids and keys are at most this long. Their digits are put down in an array for each length that is used again and again. */
const SHORT_BYTES_MAX = 64;
const codesOf = Array.from({ length: SHORT_BYTES_MAX + 1 }, (_, count) => new Array<number>(2 * count).fill(0));

const binaryCodes = Array.from({ length: SHORT_BYTES_MAX + 1 }, (_, count) => new Array<number>(count).fill(0));

/** Lower-case hexadecimal digits, two for each byte: of all bytes, or of `count` from `at` on. */
export function toHex(bytes: Bytes, at = 0, count: number = bytes.length - at): string {
  if (count > SHORT_BYTES_MAX) {
    const parts: string[] = [];
    for (let done = 0; done < count; done += SHORT_BYTES_MAX)
      parts.push(toHex(bytes, at + done, Math.min(SHORT_BYTES_MAX, count - done)));
    return parts.join('');
  }
  const codes = codesOf[count]!;
  for (let i = 0; i < count; i++) {
    const byte = bytes[at + i]!;
    codes[2 * i] = DIGITS[byte >> 4]!;
    codes[2 * i + 1] = DIGITS[byte & 15]!;
  }
  return String.fromCharCode.apply(null, codes);
}

/** Whether `text` is the lower-case hexadecimal digits of the bytes from `at` on, as many as it has. */
export function isHexOf(text: string, bytes: Bytes, at: number): boolean {
  if (text.length % 2 !== 0 || at + text.length / 2 > bytes.length) return false;
  for (let i = 0; i < text.length; i += 2) {
    const byte = bytes[at + (i >> 1)]!;
    if (text.charCodeAt(i) !== DIGITS[byte >> 4] || text.charCodeAt(i + 1) !== DIGITS[byte & 15]) return false;
  }
  return true;
}

const NOT_HEX = 16;
/** The value of each lower-case hexadecimal digit by its character code. */
const NIBBLES = new Uint8Array(256).fill(NOT_HEX);
for (let value = 0; value < 16; value++) NIBBLES[value.toString(16).charCodeAt(0)] = value;

const nibble = (code: number): number => (code < 256 ? NIBBLES[code]! : NOT_HEX);

/** Writes the bytes of lower-case hexadecimal `text` from `at` on; false, with anything written, where it is something else. */
export function writeHex(text: string, bytes: Bytes, at: number): boolean {
  if (text.length % 2 !== 0) return false;
  let faults = 0;
  for (let i = 0; i < text.length; i += 2) {
    const high = nibble(text.charCodeAt(i));
    const low = nibble(text.charCodeAt(i + 1));
    faults |= high | low;
    bytes[at + (i >> 1)] = (high << 4) | low;
  }
  return faults < NOT_HEX;
}

/** The bytes of lower-case hexadecimal `text`; null where it is anything else, upper case included. */
export function fromHex(text: string): Bytes | null {
  const bytes = new Uint8Array(text.length >> 1);
  return writeHex(text, bytes, 0) ? bytes : null;
}

/** The bytes as a string with one of them in each character: of small arrays it takes a fifth of the room. */
export function toBinary(bytes: Bytes): string {
  const { length } = bytes;
  if (length > SHORT_BYTES_MAX) {
    const parts: string[] = [];
    for (let at = 0; at < length; at += SHORT_BYTES_MAX) parts.push(toBinary(bytes.subarray(at, at + SHORT_BYTES_MAX)));
    return parts.join('');
  }
  const codes = binaryCodes[length]!;
  for (let i = 0; i < length; i++) codes[i] = bytes[i]!;
  return String.fromCharCode.apply(null, codes);
}

/** The bytes of `count` characters of such a string from `at` on. */
export function fromBinary(text: string, at: number, count: number): Bytes {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) bytes[i] = text.charCodeAt(at + i);
  return bytes;
}

/** Lexicographic order of unsigned bytes: negative, zero or positive. */
export function compareBytes(a: Bytes, b: Bytes): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

export function concatBytes(...parts: readonly Bytes[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Order of strings by UTF-16 code unit, the same in every locale. For the ASCII texts of this ledger it is byte order. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Up to this length plain ASCII is put together here: what names a chain or an operation is short and comes all the time. */
const ASCII_LENGTH_MAX = 64;

/** The text of strict UTF-8 `bytes`; null where they are not. A byte order mark is kept as a character. */
export function fromUtf8(bytes: Bytes): string | null {
  if (bytes.length <= ASCII_LENGTH_MAX && bytes.every(byte => byte < 0x80))
    return String.fromCharCode.apply(null, bytes as unknown as number[]);
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
