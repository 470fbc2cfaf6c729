/** The ledger's values as JSON: hashes hex, bytes base64, large integers decimal strings, times RFC 3339 in UTC with ms. */
import type { Static } from 'typebox';
import { publicKeyText } from '../../ledger/crypto/keys.ts';
import { operationOf } from '../../ledger/modules/registry.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { Certificate } from '../../ledger/types/certificate.ts';
import { decode } from '../../ledger/types/codec.ts';
import type { Header } from '../../ledger/types/header.ts';
import { isPublicKey, type Millis } from '../../ledger/types/ids.ts';
import type { Receipt } from '../../ledger/types/receipt.ts';
import type { IdentifiedTransaction, Operation } from '../../ledger/types/transaction.ts';
import type { FinalReceipt } from '../acknowledgements.ts';
import type {
  certificateObject,
  finalReceiptObject,
  headerObject,
  operationObject,
  receiptObject,
  transactionObject,
} from './schemas.ts';

export function toBase64(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** The bytes of a text that {@link toBase64} could have written; null for any other, so that bytes have one spelling. */
export function fromBase64(text: string): Bytes | null {
  const bytes = Buffer.from(text, 'base64');
  const { length } = text;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  // The decoder passes over what is none of its letters, which leaves it short of bytes; two letters it takes in a second form.
  if (length % 4 !== 0 || bytes.length !== (length / 4) * 3 - padding) return null;
  if (text.includes('-') || text.includes('_')) return null;
  // Only the last letter before the padding has bits that say nothing. To write all of it again would tell as well, for twice the time.
  if (padding > 0 && bytes.toString('base64', bytes.length - (3 - padding)) !== text.slice(-4)) return null;
  return new Uint8Array(bytes);
}

/** 9999-12-31T23:59:59.999Z: later times have no RFC 3339 form and are shown as this one. */
const TIME_MAX = 253_402_300_799_999;

export const timeOf = (time: Millis): string => new Date(Math.min(time, TIME_MAX)).toISOString();

export function presentHeader(header: Header): Static<typeof headerObject> {
  return {
    ...header,
    time: timeOf(header.time),
    proposer: publicKeyText(header.proposer),
    seal: toBase64(header.seal),
  };
}

export function presentCertificate(certificate: Certificate): Static<typeof certificateObject> {
  const { signatures, ...rest } = certificate;
  return { ...rest, signatures: signatures.map(({ index, signature }) => ({ index, signature: toBase64(signature) })) };
}

/** Fields of payloads that hold a time in ms, by the last word of their name. */
const TIME_FIELD = /(?:^t|T)ime$|(?:^u|U)ntil$/;

/** Any decoded value as JSON. A key is told from other text by its form and by a field name that speaks of keys. */
export function presentValue(value: unknown, field = ''): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return TIME_FIELD.test(field) ? timeOf(value) : value;
  if (typeof value === 'string') return /key/i.test(field) && isPublicKey(value) ? publicKeyText(value) : value;
  if (value instanceof Uint8Array) return toBase64(value);
  if (Array.isArray(value)) return value.map(item => presentValue(item, field));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, presentValue(inner, name)]));
  return value;
}

function presentOperation({ kind, payload }: Operation): Static<typeof operationObject> {
  const schema = operationOf(kind)?.schema;
  const decoded = schema ? decode(schema, payload) : null;
  return { kind, payload: decoded?.ok ? presentValue(decoded.value) : null };
}

export function presentTransaction(transaction: IdentifiedTransaction): Static<typeof transactionObject> {
  const { body, signatures, id, size } = transaction;
  return {
    id,
    chainId: body.chainId,
    sender: body.sender,
    validUntil: timeOf(body.validUntil),
    salt: toBase64(body.salt),
    after: body.after,
    operations: body.operations.map(presentOperation),
    signatures: signatures.map(({ key, signature }) => ({
      key: publicKeyText(key),
      signature: toBase64(signature),
    })),
    bytes: size,
  };
}

export function presentReceipt(receipt: Receipt): Static<typeof receiptObject> {
  const { transaction, succeeded, operation, code, concerns, events } = receipt;
  return {
    transaction,
    succeeded,
    operation,
    code,
    concerns,
    events: events.map(({ kind, attributes }) => ({ kind, attributes: Object.fromEntries(attributes) })),
  };
}

export function presentFinal({ receipt, height, index }: FinalReceipt): Static<typeof finalReceiptObject> {
  return { ...presentReceipt(receipt), height, index };
}
