import { type Bytes, keptCopyOf, toHex } from './bytes.ts';
import type { Interned } from './interned.ts';

/** Thrown inside a decoder and caught by `decode`; nothing else may catch it. */
export class DecodeFailure extends Error {}

/** Refuses what a decoder reads. Only inside `decode`. */
export function refuse(reason: string): never {
  throw new DecodeFailure(reason);
}

/** What a codec reads from. Whatever fails is refused. */
export class Reader {
  private bytes: Bytes;
  /** Whether the frame came as a subclass, such as Node's Buffer: whoever made it may write to its memory again. */
  private readonly foreign: boolean;
  /** Whether `bytes` may be kept, so that byte strings are views of it. */
  private owned = false;
  offset = 0;

  constructor(bytes: Bytes) {
    this.foreign = Object.getPrototypeOf(bytes) !== Uint8Array.prototype;
    // A subclass such as Node's Buffer has a slice() that does not copy: what was decoded would change with the frame.
    this.bytes = this.foreign ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes;
  }

  get left(): number {
    return this.bytes.length - this.offset;
  }

  fail(reason: string): never {
    return refuse(reason);
  }

  /**
   * For a value that is kept whole: where it begins its frame, the frame is copied once, unless it is an array with memory of
   * its own already, and the byte strings in it are views of that instead of copies, each with memory of its own.
   */
  own(): void {
    if (this.offset > 0 || this.owned) return;
    const alone = !this.foreign && this.bytes.length === this.bytes.buffer.byteLength;
    if (!alone) this.bytes = keptCopyOf(this.bytes);
    this.owned = true;
  }

  /** The next byte, which stays to be read. */
  peek(): number {
    if (this.left < 1) this.fail('unexpected end');
    return this.bytes[this.offset]!;
  }

  u8(): number {
    if (this.left < 1) this.fail('unexpected end');
    return this.bytes[this.offset++]!;
  }

  u32(): number {
    return this.u8() * 0x1000000 + this.u8() * 0x10000 + this.u8() * 0x100 + this.u8();
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && i > 0) this.fail('integer is not in its shortest form');
        if (value > Number.MAX_SAFE_INTEGER) this.fail('integer above 2^53 - 1');
        return value;
      }
      scale *= 0x80;
    }
    return this.fail('integer above 2^53 - 1');
  }

  /** Passes over `count` bytes and answers where they begin. */
  private skip(count: number): number {
    if (count > this.left) this.fail('unexpected end');
    const at = this.offset;
    this.offset += count;
    return at;
  }

  /** A copy, or a view of the reader's own bytes: what was decoded never keeps the received frame alive. */
  raw(count: number): Bytes {
    const view = this.view(count);
    return this.owned ? view : view.slice();
  }

  /** The next `count` bytes as lower-case hex. */
  hex(count: number): string {
    const at = this.skip(count);
    return toHex(this.bytes, at, count);
  }

  /** The text that `texts` has for the next `count` bytes. */
  interned<T extends string>(texts: Interned<T>, count: number): T {
    const at = this.skip(count);
    return texts(this.bytes, at, count);
  }

  /** What was read from `offset` on: a copy, or a view of the reader's own bytes. */
  since(offset: number): Bytes {
    if (this.owned && offset === 0 && this.left === 0) return this.bytes;
    const view = this.bytes.subarray(offset, this.offset);
    return this.owned ? view : view.slice();
  }

  /** The next `count` bytes without a copy, for a decoder that turns them into something else at once. */
  view(count: number): Bytes {
    const at = this.skip(count);
    return this.bytes.subarray(at, at + count);
  }
}
