import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bytes, concatBytes } from '../../../ledger/types/bytes.ts';
import { createFrameReader, frames } from '../../../node/network/framing.ts';

describe('framing', () => {
  it('puts a big-endian u32 length in front', () => {
    expect(frames([Uint8Array.of(7, 8), new Uint8Array(0)])).toEqual(Uint8Array.of(0, 0, 0, 2, 7, 8, 0, 0, 0, 0));
  });

  it('gives back every message however the stream was cut', () => {
    const message = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(12), { minLength: 1 }), (messages, cuts) => {
        const whole = frames(messages);
        const reader = createFrameReader(40);
        const read: Bytes[] = [];
        for (let at = 0, i = 0; at < whole.length; i++) {
          const length = Math.max(cuts[i % cuts.length]!, 1);
          read.push(...reader.push(whole.subarray(at, at + length))!);
          at += length;
        }
        expect(read).toEqual(messages);
        expect(reader.held).toBe(0);
      }),
    );
  });

  it('copies: what was read does not change with the buffer it came in', () => {
    const chunk = frames([Uint8Array.of(1, 2, 3)]);
    const [message] = createFrameReader(8).push(chunk)!;
    chunk.fill(0);
    expect(message).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('takes a message of exactly the bound and ends at one above, for ever', () => {
    const reader = createFrameReader(8);
    expect(reader.push(frames([new Uint8Array(8)]))).toHaveLength(1);
    expect(reader.push(Uint8Array.of(0, 0, 0, 9))).toBeNull();
    expect(reader.push(frames([Uint8Array.of(1)]))).toBeNull();
    expect(reader.held).toBe(0);
  });

  it('reserves nothing for a length that was only announced', () => {
    const reader = createFrameReader(2 ** 31);
    const before = process.memoryUsage().arrayBuffers;
    reader.push(concatBytes(Uint8Array.of(0x7f, 0, 0, 0), new Uint8Array(10)));
    expect(reader.held).toBe(10);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  });

  it('reads a large message that arrives in many pieces in time that grows with its length only', () => {
    const reader = createFrameReader(16 * 1024 * 1024);
    const whole = frames([new Uint8Array(8 * 1024 * 1024).fill(5)]);
    const since = process.cpuUsage();
    let read = 0;
    for (let at = 0; at < whole.length; at += 1_000) read += reader.push(whole.subarray(at, at + 1_000))!.length;
    expect(read).toBe(1);
    expect(process.cpuUsage(since).user).toBeLessThan(1_000_000);
  });
});
