import { expect, test } from 'vitest';
import { captured } from '../../../ledger/modules/supply/capture.ts';
import { type EpcisEvent, readEvent } from '../../../ledger/modules/supply/epcis/event.ts';
import { decode } from '../../../ledger/types/codec.ts';
import type { ChainId } from '../../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../../ledger/types/transaction.ts';
import { signCaptures } from '../../bench/captures.ts';
import { alice } from '../ledger/network.ts';

const BYTES_MAX = 16 * 1024;

function eventOf({ body }: IdentifiedTransaction): EpcisEvent {
  const payload = decode(captured, body.operations[0]!.payload);
  if (!payload.ok || payload.value.type !== 'event') throw new Error('not an event');
  const event = readEvent(payload.value.event, [], BYTES_MAX);
  if (!event.ok) throw new Error(event.error.code);
  return event.value;
}

test.each([1_024, 4_096, BYTES_MAX])('events of %i bytes are of that length, sound, and never the same', bytes => {
  const senders = [{ key: { type: 'ed25519', secret: new Uint8Array(32).fill(1) }, address: alice.address }] as const;
  const made = signCaptures(bytes)('bench-captures' as ChainId, senders, 3, () => {});
  for (const { size } of made) expect(size).toBe(bytes);
  const events = made.map(eventOf);
  expect(new Set(events.map(({ hash }) => hash)).size).toBe(3);
});
