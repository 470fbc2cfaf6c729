/**
 * `POST /v1/transactions`: transactions in their canonical encoding, each behind its length (u32, big-endian), for whoever sends
 * so many that base64 and JSON would count.
 */
import type { Bytes } from '../../ledger/types/bytes.ts';
import { err, type Fault, ok, type Result } from '../../ledger/types/errors.ts';
import { fault } from './errors.ts';
import { SUBMIT_BYTES_MAX, SUBMIT_TRANSACTIONS_MAX, tooManyBytes } from './tx.ts';

const LENGTH_BYTES = 4;
/** Every length in front of as many transactions as may come. */
export const BINARY_BODY_BYTES_MAX = SUBMIT_BYTES_MAX + SUBMIT_TRANSACTIONS_MAX * LENGTH_BYTES;

/** The transactions of a body, which they fill exactly: views of it. */
export function splitTransactions(body: Bytes): Result<readonly Bytes[], Fault> {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  // Plain, which its parts are then, too: a decoder takes them as they are.
  const whole = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  const transactions: Bytes[] = [];
  for (let at = 0; at < body.length; ) {
    if (transactions.length === SUBMIT_TRANSACTIONS_MAX)
      return err(fault('TOO_MANY_TRANSACTIONS', `more than ${SUBMIT_TRANSACTIONS_MAX} transactions`));
    const left = body.length - at - LENGTH_BYTES;
    const length = left < 0 ? 0 : view.getUint32(at);
    if (left < 0 || length > left) return err(badBody(`a transaction at byte ${at} ends after the body`));
    transactions.push(whole.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
    at += LENGTH_BYTES + length;
  }
  if (transactions.length === 0) return err(badBody('no transactions'));
  const bytes = body.length - transactions.length * LENGTH_BYTES;
  return bytes > SUBMIT_BYTES_MAX ? err(tooManyBytes(bytes)) : ok(transactions);
}

const badBody = (message: string): Fault =>
  fault('INVALID_PARAMS', message, { hint: 'send each transaction behind its length: u32, big-endian' });
