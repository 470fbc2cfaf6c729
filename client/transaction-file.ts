/**
 * A signed transaction on its way between machines: JSON that people can read, in which `tx`, the canonical encoding in base64,
 * is what counts. The base64 alone is accepted as well.
 */
import { base64 } from '@scure/base';
import { identify } from '../ledger/crypto/ids.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import { decode } from '../ledger/types/codec.ts';
import { err, type Fault, ok, type Result } from '../ledger/types/errors.ts';
import {
  encodeTransaction,
  type IdentifiedTransaction,
  TRANSACTION_BYTES_MAX,
  transaction,
} from '../ledger/types/transaction.ts';

const VERSION = 1;
/** Base64 of the longest transaction, and what stands around it. */
const FILE_LENGTH_MAX = 2 * TRANSACTION_BYTES_MAX;

export const toBase64 = (bytes: Bytes): string => base64.encode(bytes);

/** The bytes of base64 in its one spelling; null for anything else. */
export function fromBase64(text: string): Bytes | null {
  try {
    return base64.decode(text);
  } catch {
    return null;
  }
}

/** The file of a signed transaction. Everything beside `tx` is for the eye. */
export function transactionFile(signed: IdentifiedTransaction): Readonly<Record<string, unknown>> {
  const { id, body, signatures } = signed;
  return {
    version: VERSION,
    id,
    chainId: body.chainId,
    sender: body.sender,
    validUntil: new Date(body.validUntil).toISOString(),
    operations: body.operations.map(each => each.kind),
    signatures: signatures.length,
    tx: toBase64(encodeTransaction(signed)),
  };
}

/** Reads either form. Refuses with TRANSACTION_FILE_DAMAGED, TRANSACTION_FILE_VERSION. */
export function readTransactionFile(text: string): Result<IdentifiedTransaction, Fault> {
  if (text.length > FILE_LENGTH_MAX) return damaged('it is too long');
  const trimmed = text.trim();
  return trimmed.startsWith('{') ? fromJson(trimmed) : fromText(trimmed);
}

function fromJson(text: string): Result<IdentifiedTransaction, Fault> {
  let file: Readonly<Record<string, unknown>>;
  try {
    file = JSON.parse(text);
  } catch {
    return damaged('it is not JSON');
  }
  if (file.version !== VERSION && Number.isSafeInteger(file.version))
    return err({
      code: 'TRANSACTION_FILE_VERSION',
      message: `this transaction file is of version ${file.version}`,
      hint: `this program reads version ${VERSION}: use the one that wrote the file`,
    });
  const signed = typeof file.tx === 'string' ? fromText(file.tx) : damaged('it has no tx');
  // Whoever read the file and approved of its id must not have approved of another transaction.
  return signed.ok && file.id !== signed.value.id ? damaged('its id is not that of the transaction in it') : signed;
}

function fromText(text: string): Result<IdentifiedTransaction, Fault> {
  const bytes = fromBase64(text);
  if (bytes === null) return damaged('it is neither JSON nor base64');
  const decoded = decode(transaction, bytes);
  return decoded.ok ? ok(identify(decoded.value)) : damaged(decoded.error.reason);
}

function damaged(reason: string): { readonly ok: false; readonly error: Fault } {
  return err({
    code: 'TRANSACTION_FILE_DAMAGED',
    message: `this is no signed transaction, or a damaged one: ${reason}`,
    hint: 'write it anew with --offline',
  });
}
