/**
 * Brings the events of an EPCIS document into the ledger, one transaction for each. The events of one thing wait for one
 * another, unrelated ones go side by side. Doing it again is safe: what is recorded already says so.
 */
import type { FinalReceipt } from '../../client/api.ts';
import type { Rpc } from '../../client/rpc.ts';
import { submitMany } from '../../client/submit-many.ts';
import { operationOf, signTransaction, transactionOf } from '../../client/transaction.ts';
import type { Wallet } from '../../client/wallet/wallet.ts';
import { capture, EVENT_BYTES_MAX } from '../../ledger/modules/supply/capture.ts';
import { chainEvents, type SplitEvent, splitDocument } from '../../ledger/modules/supply/epcis/document.ts';
import { type EpcisEvent, readEvent } from '../../ledger/modules/supply/epcis/event.ts';
import { hashUri } from '../../ledger/modules/supply/epcis/event-hash.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { type Fault, FaultError, type Result } from '../../ledger/types/errors.ts';
import type { TransactionId } from '../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import type { Facts } from '../facts.ts';
import { refusalHint } from '../refusal.ts';

export type Outcome = 'recorded' | 'already recorded' | 'attested' | 'refused';

export interface CapturedEvent {
  /** In the document, from 1. */
  readonly position: number;
  readonly eventTime: string | null;
  /** The event's hash as CBV 2.0 writes it; null where it could not be read. */
  readonly eventID: string | null;
  readonly outcome: Outcome;
  /** Where it is recorded. */
  readonly height: number | null;
  readonly transaction: TransactionId | null;
  /** Of a refusal: its code, what it concerns, and what that means. */
  readonly code: string | null;
  readonly concerns: string | null;
  readonly hint: string | null;
  /** What the ledger finds odd about an event that it recorded. */
  readonly alerts: readonly string[];
}

export interface Captured {
  /** In the order of the document. */
  readonly events: readonly CapturedEvent[];
  readonly counts: Readonly<Record<Outcome, number>>;
  readonly notices: readonly string[];
}

export interface CapturePorts {
  /** Batches go to these in turn. */
  readonly nodes: readonly Rpc[];
  readonly facts: Facts;
  readonly wallet: Pick<Wallet, 'address' | 'key'>;
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops in the middle, by throwing its reason; capturing the document again goes on from there. */
  readonly signal?: AbortSignal;
}

interface Readable {
  readonly position: number;
  readonly split: SplitEvent;
  readonly event: EpcisEvent;
}

/** Throws XML_NOT_SUPPORTED, BAD_JSON or NOT_EPCIS where the file is no document; a refused event is part of the answer. */
export async function captureDocument(bytes: Bytes, ports: CapturePorts): Promise<Captured> {
  const document = splitDocument(bytes);
  if (!document.ok) {
    const { code, concerns } = document.error;
    throw new FaultError({
      code,
      message: `the file is no EPCIS 2.0 JSON-LD: ${concerns}`,
      hint: 'see docs/cli.md, "Supply chain"',
    });
  }
  const total = document.value.events.length;
  const ended: CapturedEvent[] = [];
  const end = (event: CapturedEvent) => {
    ended.push(event);
    ports.onProgress?.(ended.length, total);
  };
  const readable: Readable[] = [];
  for (const [i, split] of document.value.events.entries()) {
    const event = readEvent(split.json, split.ignoreFields, EVENT_BYTES_MAX);
    if (event.ok) readable.push({ position: i + 1, split, event: event.value });
    else end(refused({ position: i + 1, event: null }, event.error.code, event.error.concerns, null));
  }
  const sent = new Map<TransactionId, Readable>();
  await submitMany(ports.nodes, transactionsOf(readable, sent, ports), {
    ...(ports.signal === undefined ? {} : { signal: ports.signal }),
    onEnd: (transaction, outcome) => end(capturedOf(sent.get(transaction.id)!, transaction.id, outcome)),
  });
  const events = ended.sort((a, b) => a.position - b.position);
  const count = (outcome: Outcome) => events.filter(each => each.outcome === outcome).length;
  return {
    events,
    counts: {
      recorded: count('recorded'),
      'already recorded': count('already recorded'),
      attested: count('attested'),
      refused: count('refused'),
    },
    notices: document.value.notices,
  };
}

/** Made when they are sent, so that a long document does not outlast its transactions. */
function* transactionsOf(
  readable: readonly Readable[],
  sent: Map<TransactionId, Readable>,
  { facts, wallet }: CapturePorts,
): Generator<IdentifiedTransaction> {
  const before = predecessors(readable.map(each => each.event));
  const ids = new Map<number, TransactionId>();
  const order = readable.map((_, i) => i).sort((a, b) => readable[a]!.event.time - readable[b]!.event.time || a - b);
  for (const i of order) {
    const { split } = readable[i]!;
    const previous = before.get(i);
    const body = transactionOf({
      chainId: facts.chainId,
      sender: wallet.address,
      validUntil: facts.validUntil(),
      after: previous === undefined ? null : ids.get(previous)!,
      operations: [operationOf(capture, { type: 'event', event: split.json, ignoreFields: split.ignoreFields })],
    });
    const signed = signTransaction(body, [wallet.key]);
    ids.set(i, signed.id);
    sent.set(signed.id, readable[i]!);
    yield signed;
  }
}

/** For each event the one of its chain that it waits for. */
function predecessors(events: readonly EpcisEvent[]): Map<number, number> {
  const before = new Map<number, number>();
  for (const chain of chainEvents(events)) for (let i = 1; i < chain.length; i++) before.set(chain[i]!, chain[i - 1]!);
  return before;
}

function capturedOf(of: Readable, transaction: TransactionId, outcome: Result<FinalReceipt, Fault>): CapturedEvent {
  if (!outcome.ok) return refused(of, outcome.error.code, outcome.error.message, transaction, outcome.error.hint);
  const { succeeded, code, concerns, events, height } = outcome.value;
  if (!succeeded) return refused(of, code, concerns, transaction);
  const earlier = events.find(each => each.kind === 'supply.alreadyRecorded');
  const attested = events.some(each => each.kind === 'supply.attested');
  return {
    ...base(of),
    outcome: earlier ? 'already recorded' : attested ? 'attested' : 'recorded',
    height: earlier ? Number(earlier.attributes.height) : height,
    transaction,
    code: null,
    concerns: null,
    hint: null,
    alerts: events.filter(each => each.kind === 'supply.alert').map(each => Object.values(each.attributes).join(' ')),
  };
}

const base = ({ position, event }: { readonly position: number; readonly event: EpcisEvent | null }) => ({
  position,
  eventTime: event && new Date(event.time).toISOString(),
  eventID: event && hashUri(event.hash),
});

function refused(
  of: { readonly position: number; readonly event: EpcisEvent | null },
  code: string,
  concerns: string,
  transaction: TransactionId | null,
  hint: string = refusalHint(code),
): CapturedEvent {
  return { ...base(of), outcome: 'refused', height: null, transaction, code, concerns, hint, alerts: [] };
}
