import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import { DIRECT_QUEUE_BYTES_MAX, DIRECT_QUEUE_MESSAGES_MAX, DIRECT_WRITE_BYTES } from '../../../node/limits.ts';
import { createFrameReader } from '../../../node/network/framing.ts';
import { createOutbox } from '../../../node/network/outbox.ts';
import { wait } from './nodes.ts';

/** A stream whose reader can be stopped. */
function scene() {
  const reader = createFrameReader(DIRECT_QUEUE_BYTES_MAX);
  const writes: Bytes[] = [];
  const messages: Bytes[] = [];
  let open = true;
  let drain: () => void = () => {};
  let drained: Promise<void> = Promise.resolve();
  let dropped = 0;
  const outbox = createOutbox(
    {
      get writable() {
        return open;
      },
      send(bytes) {
        writes.push(bytes);
        messages.push(...reader.push(bytes)!);
        return open;
      },
      drained: () => drained,
    },
    { sent: () => {}, dropped: () => void dropped++ },
  );
  return {
    outbox,
    writes,
    messages,
    stall() {
      open = false;
      drained = new Promise(resolve => {
        drain = resolve;
      });
    },
    read() {
      open = true;
      drain();
    },
    dropped: () => dropped,
  };
}

const numbered = (i: number, length = 8): Bytes => {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, i);
  return bytes;
};
const numberOf = (bytes: Bytes): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);

describe('outbox', () => {
  it('sends what one tick puts in as one write', async () => {
    const { outbox, writes, messages } = scene();
    for (let i = 0; i < 100; i++) outbox.put(numbered(i));
    expect(writes).toHaveLength(0);
    await Promise.resolve();
    expect(writes).toHaveLength(1);
    expect(messages.map(numberOf)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    outbox.put(numbered(100));
    await wait(0);
    expect(writes).toHaveLength(2);
  });

  it('writes large queues in pieces', async () => {
    const { outbox, writes, messages } = scene();
    for (let i = 0; i < 40; i++) outbox.put(numbered(i, 50_000));
    await wait(0);
    expect(messages).toHaveLength(40);
    expect(Math.max(...writes.map(each => each.length))).toBeLessThan(DIRECT_WRITE_BYTES + 50_000 + 1_000);
  });

  it('keeps the newest while the peer does not read, and counts what it dropped', async () => {
    const { outbox, messages, stall, read, dropped } = scene();
    stall();
    const total = DIRECT_QUEUE_MESSAGES_MAX + 1_000;
    for (let i = 0; i < total; i++) outbox.put(numbered(i));
    expect(outbox.waiting).toBe(DIRECT_QUEUE_MESSAGES_MAX);
    expect(dropped()).toBe(1_000);
    read();
    await wait(5);
    expect(messages.map(numberOf)).toEqual(Array.from({ length: DIRECT_QUEUE_MESSAGES_MAX }, (_, i) => i + 1_000));
    expect(outbox.waiting).toBe(0);
  });

  it('is bounded in bytes too', () => {
    const { outbox, stall, dropped } = scene();
    stall();
    for (let i = 0; i < 100; i++) outbox.put(numbered(i, 1024 * 1024));
    expect(outbox.waiting).toBe(DIRECT_QUEUE_BYTES_MAX / (1024 * 1024));
    expect(dropped()).toBe(92);
  });

  it('survives many stalls', async () => {
    const { outbox, messages, stall, read } = scene();
    for (let round = 0; round < 50; round++) {
      stall();
      outbox.put(numbered(round));
      await wait(0);
      read();
      await wait(0);
    }
    expect(messages.map(numberOf)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('sends nothing after it was closed', async () => {
    const { outbox, messages } = scene();
    outbox.put(numbered(1));
    outbox.close();
    outbox.put(numbered(2));
    await wait(0);
    expect(messages).toEqual([]);
  });
});
