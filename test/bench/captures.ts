/** Captured EPCIS events, each of a new item and of the length asked for: what a transaction of kilobytes is in a supply network. */
import { operationOf, signTransaction, transactionOf } from '../../client/transaction.ts';
import { capture } from '../../ledger/modules/supply/capture.ts';
import { utf8 } from '../../ledger/types/bytes.ts';
import type { ChainId, Millis } from '../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import type { BenchSender } from './bench-network.ts';

const VALID_MS = 9 * 60 * 1000;
const CONTEXT = [
  'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld',
  { example: 'https://ns.example.com/epcis/' },
];
/** Under nobody's prefix: whoever sees it first has it. */
const ITEM = 'urn:epc:id:sgtin:9521321.012345.';
/** Every serial number has so many digits, so that all events are of one length. */
const SERIAL_FROM = 10 ** 8;

let serial = SERIAL_FROM;

/** Observes a new item. `note` is a field of the sender's own, recorded with all the others. */
const observation = (time: Millis, note: string): Uint8Array =>
  utf8(
    JSON.stringify({
      '@context': CONTEXT,
      type: 'ObjectEvent',
      action: 'OBSERVE',
      eventTime: new Date(time).toISOString(),
      eventTimeZoneOffset: '+00:00',
      epcList: [`${ITEM}${serial++}`],
      'example:note': note,
    }),
  );

/** Signs events, the senders in turn, in transactions of `bytes` bytes; of a few more where the fields alone take more. */
export function signCaptures(bytes: number) {
  return (
    chainId: ChainId,
    senders: readonly BenchSender[],
    count: number,
    onProgress: (done: number) => void,
  ): IdentifiedTransaction[] => {
    const now = Date.now();
    const signed = (at: number, note: string) => {
      const { address, key } = senders[at % senders.length]!;
      const operations = [operationOf(capture, { type: 'event', event: observation(now, note), ignoreFields: [] })];
      return signTransaction(transactionOf({ chainId, sender: address, validUntil: now + VALID_MS, operations }), [
        key,
      ]);
    };
    const note = 'x'.repeat(Math.max(0, bytes - signed(0, '').size));
    return Array.from({ length: count }, (_, i) => {
      if (i % 500 === 499) onProgress(i + 1);
      return signed(i, note);
    });
  };
}
