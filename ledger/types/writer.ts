import { type Bytes, copyOf, writeHex } from './bytes.ts';

/** Where a codec writes to. */
export class Writer {
  private buffer = new Uint8Array(256);
  private view = new DataView(this.buffer.buffer);
  private length = 0;

  private reserve(count: number): number {
    const at = this.length;
    if (at + count > this.buffer.length) {
      const grown = new Uint8Array(Math.max(this.buffer.length * 2, at + count));
      grown.set(this.buffer.subarray(0, at));
      this.buffer = grown;
      this.view = new DataView(grown.buffer);
    }
    this.length = at + count;
    return at;
  }

  u8(value: number): void {
    // First the room: it may be another buffer then.
    const at = this.reserve(1);
    this.buffer[at] = value;
  }

  u32(value: number): void {
    const at = this.reserve(4);
    this.view.setUint32(at, value);
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) + 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.u8(rest);
  }

  raw(bytes: Bytes): void {
    const at = this.reserve(bytes.length);
    this.buffer.set(bytes, at);
  }

  /**
   * Writes text of one byte for each character, its length in front, and answers true; other text is left to the caller.
   * Nearly all text of a ledger is that, and is written several times sooner without an encoder's array for each.
   */
  ascii(value: string): boolean {
    const start = this.length;
    this.varint(value.length);
    const at = this.reserve(value.length);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.length = start;
        return false;
      }
      this.buffer[at + i] = code;
    }
    return true;
  }

  /** The bytes of lower-case hexadecimal `text`; false where it is something else. */
  hex(text: string): boolean {
    const at = this.reserve(text.length >> 1);
    return writeHex(text, this.buffer, at);
  }

  /** How much was written. */
  get offset(): number {
    return this.length;
  }

  /** Copies out what was written and makes the writer empty again. */
  take(): Bytes {
    const bytes = copyOf(this.buffer, 0, this.length);
    this.length = 0;
    return bytes;
  }
}
