/**
 * The one binary encoding of this ledger (docs/protocol.md, "Encoding"). Every codec is canonical: `decode(encode(x))`
 * is `x`, and a byte string that is not the encoding of some value is refused. Integers are unsigned LEB128 without
 * superfluous bytes, lists and byte strings carry their length, and every length is checked against its bound and
 * against the bytes that are left before anything is allocated.
 */
import { assert } from './assert.ts';
import { type Bytes, fromHex, fromUtf8, toHex, utf8 } from './bytes.ts';
import { err, ok, type Result } from './errors.ts';
import { interned } from './interned.ts';
import { DecodeFailure, Reader, refuse } from './reader.ts';
import { Writer } from './writer.ts';

/** Why a byte string was refused, and at which offset. */
export interface DecodeError {
  readonly code: 'DECODE_FAILED';
  readonly reason: string;
  readonly offset: number;
}

export interface Codec<T> {
  write(writer: Writer, value: T): void;
  read(reader: Reader): T;
}

/** What a codec encodes. */
export type TypeOf<C> = C extends Codec<infer T> ? T : never;

/** A writer for each encoding that is under way within another, made once. */
const writers: Writer[] = [];
let depth = 0;

export function encode<T>(codec: Pick<Codec<T>, 'write'>, value: T): Bytes {
  writers[depth] ??= new Writer();
  const writer = writers[depth]!;
  depth++;
  try {
    codec.write(writer, value);
    return writer.take();
  } catch (error) {
    writer.take();
    throw error;
  } finally {
    depth--;
  }
}

/** What `list(item, max)` writes of `items`, and the encoding of each of them as a view of it. */
export function encodeList<T>(
  item: Codec<T>,
  max: number,
  items: readonly T[],
): { readonly whole: Bytes; readonly each: Bytes[] } {
  const starts: number[] = [];
  const noted: Pick<Codec<T>, 'write'> = {
    write(writer, value) {
      starts.push(writer.offset);
      item.write(writer, value);
    },
  };
  const whole = encode({ write: listWriter(noted, max) }, items);
  return { whole, each: starts.map((start, i) => whole.subarray(start, starts[i + 1] ?? whole.length)) };
}

/** Decodes all of `bytes`. Never throws on any input. */
export function decode<T>(codec: Codec<T>, bytes: Bytes): Result<T, DecodeError> {
  const reader = new Reader(bytes);
  try {
    const value = codec.read(reader);
    if (reader.left > 0) reader.fail('bytes left over');
    return ok(value);
  } catch (error) {
    if (!(error instanceof DecodeFailure)) throw error;
    return err({ code: 'DECODE_FAILED', reason: error.message, offset: reader.offset });
  }
}

/** Decodes bytes that this program wrote itself: a failure is damage or a bug, and throws. */
export function decodeOwn<T>(codec: Codec<T>, bytes: Bytes): T {
  const result = decode(codec, bytes);
  assert(result.ok, `own bytes do not decode: ${result.ok ? '' : `${result.error.reason} at ${result.error.offset}`}`);
  return result.value;
}

export const u8: Codec<number> = {
  write(writer, value) {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xff, 'u8 out of range');
    writer.u8(value);
  },
  read: reader => reader.u8(),
};

export const bool: Codec<boolean> = {
  write: (writer, value) => writer.u8(value ? 1 : 0),
  read(reader) {
    const byte = reader.u8();
    return byte > 1 ? reader.fail('boolean is neither 0 nor 1') : byte === 1;
  },
};

/** An integer from 0 to 2^53 - 1, or to `max`. */
export function uint(max: number = Number.MAX_SAFE_INTEGER): Codec<number> {
  return {
    write(writer, value) {
      assert(Number.isSafeInteger(value) && value >= 0 && value <= max, `integer out of range: ${value}`);
      writer.varint(value);
    },
    read(reader) {
      const value = reader.varint();
      return value > max ? reader.fail(`integer above ${max}`) : value;
    },
  };
}

/** Up to so many bytes an integer is exact as a number, and written and read several times sooner than by way of its digits. */
const SMALL_BYTES = 6;
const SMALL_MAX = 2n ** 48n - 1n;

function writeSmall(writer: Writer, value: number): void {
  let length = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 0x100)) length++;
  writer.u8(length);
  for (let scale = 0x100 ** (length - 1); scale >= 1; scale /= 0x100) writer.u8(Math.floor(value / scale) % 0x100);
}

/** A non-negative bigint below 2^(8·maxBytes): a length byte, then big-endian bytes without a leading zero. */
export function bigUint(maxBytes: number): Codec<bigint> {
  assert(maxBytes <= 255, 'bigUint is too wide');
  return {
    write(writer, value) {
      assert(value >= 0n, 'bigUint below zero');
      if (value <= SMALL_MAX && maxBytes >= SMALL_BYTES) return writeSmall(writer, Number(value));
      let digits = value === 0n ? '' : value.toString(16);
      if (digits.length % 2 === 1) digits = `0${digits}`;
      const bytes = fromHex(digits);
      assert(bytes !== null && bytes.length <= maxBytes, 'bigUint out of range');
      writer.u8(bytes.length);
      writer.raw(bytes);
    },
    read(reader) {
      const length = reader.u8();
      if (length > maxBytes) reader.fail(`integer longer than ${maxBytes} bytes`);
      if (length === 0) return 0n;
      const first = reader.u8();
      if (first === 0) reader.fail('integer is not in its shortest form');
      if (length > SMALL_BYTES) return BigInt(`0x${toHex(Uint8Array.of(first))}${toHex(reader.view(length - 1))}`);
      let value = first;
      for (let i = 1; i < length; i++) value = value * 0x100 + reader.u8();
      return BigInt(value);
    },
  };
}

/** Exactly `length` bytes. */
export function fixed(length: number): Codec<Bytes> {
  return {
    write(writer, value) {
      assert(value.length === length, `expected ${length} bytes, got ${value.length}`);
      writer.raw(value);
    },
    read: reader => reader.raw(length),
  };
}

/** Exactly `length` bytes, in memory as lower-case hex of the branded type `T`. */
export function hex<T extends string>(length: number): Codec<T> {
  return {
    write(writer, value) {
      assert(value.length === 2 * length && writer.hex(value), `expected ${length} bytes in hex`);
    },
    read: reader => reader.hex(length) as T,
  };
}

/** At most `max` bytes with their length in front. */
export function bytes(max: number): Codec<Bytes> {
  return {
    write(writer, value) {
      assert(value.length <= max, `more than ${max} bytes`);
      writer.varint(value.length);
      writer.raw(value);
    },
    read(reader) {
      const length = reader.varint();
      return length > max ? reader.fail(`more than ${max} bytes`) : reader.raw(length);
    },
  };
}

/** The same, read as a view of the frame: for a decoder that makes something else of it at once. */
export const byteViews = (max: number): Codec<Bytes> => ({
  ...bytes(max),
  read(reader) {
    const length = reader.varint();
    return length > max ? reader.fail(`more than ${max} bytes`) : reader.view(length);
  },
});

/** Of each kind of text so many short ones are kept: most say the name of one of a few chains, operations or tokens. */
const TEXTS_KEPT = 64;
const KEPT_BYTES_MAX = 64;

/** UTF-8 of at most `max` bytes that `accepts` lets pass, which judges by nothing but the text. */
export function text(max: number, accepts: (value: string) => boolean = () => true): Codec<string> {
  const texts = interned(TEXTS_KEPT, Math.min(max, KEPT_BYTES_MAX), encoded => {
    const value = fromUtf8(encoded) ?? refuse('text is not UTF-8');
    return accepts(value) ? value : refuse('text of a wrong form');
  });
  return {
    write(writer, value) {
      if (value.length <= max && accepts(value) && writer.ascii(value)) return;
      const encoded = utf8(value);
      assert(encoded.length <= max && accepts(value), `text refused: ${value.slice(0, 80)}`);
      writer.varint(encoded.length);
      writer.raw(encoded);
    },
    read(reader) {
      const length = reader.varint();
      if (length > max) reader.fail(`text longer than ${max} bytes`);
      return reader.interned(texts, length);
    },
  };
}

const listWriter =
  <T>(item: Pick<Codec<T>, 'write'>, max: number): Codec<readonly T[]>['write'] =>
  (writer, value) => {
    assert(value.length <= max, `more than ${max} items`);
    writer.varint(value.length);
    for (const element of value) item.write(writer, element);
  };

/** At most `max` items with their number in front. */
export function list<T>(item: Codec<T>, max: number): Codec<readonly T[]> {
  return {
    write: listWriter(item, max),
    read(reader) {
      const count = reader.varint();
      if (count > max) reader.fail(`more than ${max} items`);
      // Every item takes a byte at least, so that a short frame cannot ask for a long array.
      if (count > reader.left) reader.fail('unexpected end');
      // An array that grows by its first item takes room for sixteen more.
      if (count === 1) return [item.read(reader)];
      const items: T[] = [];
      for (let i = 0; i < count; i++) items.push(item.read(reader));
      return items;
    },
  };
}

/** Like {@link list}, with the items in strictly ascending order of `compare`: a set with one encoding. */
export function ascending<T>(item: Codec<T>, max: number, compare: (a: T, b: T) => number): Codec<readonly T[]> {
  const plain = list(item, max);
  const sorted = (items: readonly T[]) => items.every((value, i) => i === 0 || compare(items[i - 1]!, value) < 0);
  return {
    write(writer, value) {
      assert(sorted(value), 'items are not in ascending order');
      plain.write(writer, value);
    },
    read(reader) {
      const items = plain.read(reader);
      return sorted(items) ? items : reader.fail('items are not in ascending order');
    },
  };
}

export function option<T>(item: Codec<T>): Codec<T | null> {
  return {
    write(writer, value) {
      bool.write(writer, value !== null);
      if (value !== null) item.write(writer, value);
    },
    read: reader => (bool.read(reader) ? item.read(reader) : null),
  };
}

/** The fields one after the other, in the order in which the schema lists them. */
export function struct<T extends object>(fields: { readonly [K in keyof T]: Codec<T[K]> }): Codec<T> {
  const names = Object.keys(fields);
  const codecs = Object.values<Codec<unknown>>(fields);
  return {
    write(writer, value) {
      for (let i = 0; i < names.length; i++) codecs[i]!.write(writer, (value as Record<string, unknown>)[names[i]!]);
    },
    read(reader) {
      const value: Record<string, unknown> = {};
      for (let i = 0; i < names.length; i++) value[names[i]!] = codecs[i]!.read(reader);
      return value as T;
    },
  };
}

/** `V` as a union of its values, each with its key as `type`. */
type Variants<V> = { [K in keyof V]: { readonly type: K } & V[K] }[keyof V];

/** One of several structs, told apart by `type`; on the wire by the written number of each variant. */
export function union<V extends Record<string, object>>(
  variants: {
    readonly [K in keyof V]: readonly [tag: number, codec: Codec<V[K]>];
  },
): Codec<Variants<V>> {
  const entries = Object.entries(variants) as unknown as [string, readonly [number, Codec<object>]][];
  const byType = new Map(entries);
  const byTag = new Map(entries.map(([type, [tag, codec]]) => [tag, { type, codec }]));
  assert(byTag.size === entries.length, 'two variants share a tag');
  return {
    write(writer, value) {
      const variant = byType.get(value.type as string);
      assert(variant, 'unknown variant');
      writer.u8(variant[0]);
      variant[1].write(writer, value);
    },
    read(reader) {
      const variant = byTag.get(reader.u8());
      if (!variant) return reader.fail('unknown variant');
      return { type: variant.type, ...variant.codec.read(reader) } as Variants<V>;
    },
  };
}

/** A codec for a value that is easier to hold in another form than the one it is encoded in. */
export function mapped<W, T>(wire: Codec<W>, to: (wire: W, reader: Reader) => T, from: (value: T) => W): Codec<T> {
  return {
    write: (writer, value) => wire.write(writer, from(value)),
    read: reader => to(wire.read(reader), reader),
  };
}
