import Type from 'typebox';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { err, type Fault, ok, type Result } from '../../ledger/types/errors.ts';
import type { TransactionId } from '../../ledger/types/ids.ts';
import { encodeTransaction } from '../../ledger/types/transaction.ts';
import { notHere } from './chain.ts';
import { errorObject, fault } from './errors.ts';
import { type Method, method } from './method.ts';
import type { Admission, ChainReader, PoolReader, Prover, Submitter } from './ports.ts';
import { fromBase64, presentFinal, presentReceipt, presentTransaction, timeOf, toBase64 } from './presentation.ts';
import {
  base64Text,
  countNumber,
  finalReceiptObject,
  hashText,
  heightNumber,
  nullable,
  oneOf,
  receiptObject,
  timeText,
  transactionObject,
} from './schemas.ts';

export const SUBMIT_TRANSACTIONS_MAX = 1_000;
export const SUBMIT_BYTES_MAX = 2 * 1024 * 1024;
/** A caller that wants to wait longer asks again; a connection is not held for ever. */
export const WAIT_MS_MAX = 60_000;
const WAIT_MS_DEFAULT = 30_000;

export interface TxPorts {
  readonly chain: ChainReader;
  readonly submitter: Submitter;
  readonly pool: PoolReader;
  readonly prover: Prover;
}

const timeoutMs = Type.Optional(
  Type.Integer({ minimum: 0, maximum: WAIT_MS_MAX, description: `an integer from 0 to ${WAIT_MS_MAX}` }),
);

export function txMethods({ chain, submitter, pool, prover }: TxPorts): Method[] {
  return [
    submit(submitter),
    submitBatch(submitter),
    submitAndWait(submitter, chain),
    wait(submitter, chain),
    get(chain, pool),
    simulate(submitter),
    getProof(prover),
  ];
}

function transactionBytes(text: string, parameter = 'tx'): Result<Bytes, Fault> {
  const bytes = fromBase64(text);
  return bytes
    ? ok(bytes)
    : err(fault('INVALID_PARAMS', `parameter ${parameter} must be base64`, { data: { parameter } }));
}

/** What became of one submitted transaction, as a result: the id, or why not. */
export function admissionResult(admission: Admission): Result<{ id: TransactionId }, Fault> {
  switch (admission.type) {
    case 'admitted':
      return ok({ id: admission.id });
    case 'refused':
      return err(admission.fault);
    case 'final':
      return err(
        fault('DUPLICATE', 'the transaction is recorded already', {
          data: { id: admission.final.receipt.transaction, receipt: presentFinal(admission.final) },
        }),
      );
  }
}

function submit(submitter: Submitter): Method {
  return method({
    name: 'tx_submit',
    summary: 'Admits a signed transaction and says its id: form and signatures are good, and no more is promised yet.',
    params: { tx: base64Text },
    result: hashText,
    errors: ['BUSY', 'DUPLICATE', 'BAD_SIGNATURE', 'EXPIRED', 'NOT_AUTHORISED'],
    async handler({ tx }) {
      const bytes = transactionBytes(tx);
      if (!bytes.ok) return bytes;
      const [admission] = await submitter.submit([bytes.value]);
      const result = admissionResult(admission!);
      return result.ok ? ok(result.value.id) : result;
    },
  });
}

const errorShape = Type.Object({
  code: Type.Integer(),
  message: Type.String(),
  data: Type.Record(Type.String(), Type.Unknown()),
});

function submitBatch(submitter: Submitter): Method {
  return method({
    name: 'tx_submitBatch',
    summary: 'tx_submit for up to 1000 transactions of together 2 MB: one {id} or {error} each, in order.',
    params: {
      txs: Type.Array(base64Text, {
        minItems: 1,
        maxItems: SUBMIT_TRANSACTIONS_MAX,
        description: `an array of 1 to ${SUBMIT_TRANSACTIONS_MAX} transactions in base64`,
      }),
    },
    result: Type.Array(Type.Union([Type.Object({ id: hashText }), Type.Object({ error: errorShape })])),
    errors: ['TOO_MANY_TRANSACTIONS', 'RATE_LIMITED'],
    async handler({ txs }, { charge }) {
      const limited = charge(txs.length - 1);
      if (limited) return err(limited);
      const transactions: Bytes[] = [];
      let bytes = 0;
      for (const [i, tx] of txs.entries()) {
        const decoded = transactionBytes(tx, `txs[${i}]`);
        if (!decoded.ok) return decoded;
        bytes += decoded.value.length;
        transactions.push(decoded.value);
      }
      if (bytes > SUBMIT_BYTES_MAX) return err(tooManyBytes(bytes));
      return ok((await submitter.submit(transactions)).map(presentAdmission));
    },
  });
}

export const tooManyBytes = (bytes: number): Fault =>
  fault('TOO_MANY_TRANSACTIONS', `${bytes} bytes of transactions are above the limit of ${SUBMIT_BYTES_MAX}`);

export function presentAdmission(admission: Admission) {
  const result = admissionResult(admission);
  return result.ok ? result.value : { error: errorObject(result.error) };
}

/** How far a transaction is that has not become final within the time. */
function notFinalYet(chain: ChainReader, id: TransactionId, timeout: number): Fault {
  const found = chain.included(id);
  if (!found) return fault('NOT_FINAL_YET', `not final after ${timeout} ms`, { data: { id } });
  const included = { height: found.height, depth: found.depth, finalityDepth: chain.status().finalityDepth };
  const { height, depth, finalityDepth } = included;
  return fault(
    'NOT_FINAL_YET',
    `included, ${depth} of ${finalityDepth} deep, at height ${height} after ${timeout} ms`,
    {
      data: { id, included },
    },
  );
}

async function waitFor(
  submitter: Submitter,
  chain: ChainReader,
  id: TransactionId,
  timeout: number,
  signal: AbortSignal,
): Promise<Result<ReturnType<typeof presentFinal>, Fault>> {
  const waited = await submitter.wait(id, timeout, signal);
  switch (waited) {
    case 'timeout':
      return err(notFinalYet(chain, id, timeout));
    case 'busy':
      return err(fault('BUSY', 'too many calls wait already', { data: { id } }));
    case 'expired':
      return err(fault('EXPIRED', 'the transaction was not recorded before its validUntil', { data: { id } }));
    default:
      return ok(presentFinal(waited));
  }
}

function submitAndWait(submitter: Submitter, chain: ChainReader): Method {
  return method({
    name: 'tx_submitAndWait',
    summary: 'Submits a transaction and answers with its final receipt: the acknowledgement. `succeeded` may be false.',
    params: { tx: base64Text, timeoutMs },
    result: finalReceiptObject,
    errors: ['BUSY', 'BAD_SIGNATURE', 'EXPIRED', 'NOT_AUTHORISED', 'NOT_FINAL_YET'],
    async handler({ tx, timeoutMs: timeout = WAIT_MS_DEFAULT }, { signal }) {
      const bytes = transactionBytes(tx);
      if (!bytes.ok) return bytes;
      const [admission] = await submitter.submit([bytes.value]);
      // Sent before and final by now: to a caller who asks for the receipt that is an answer, not an error.
      if (admission!.type === 'final') return ok(presentFinal(admission!.final));
      const admitted = admissionResult(admission!);
      return admitted.ok ? waitFor(submitter, chain, admitted.value.id, timeout, signal) : admitted;
    },
  });
}

function wait(submitter: Submitter, chain: ChainReader): Method {
  return method({
    name: 'tx_wait',
    summary: 'The final receipt of a transaction, as soon as there is one.',
    params: { id: hashText, timeoutMs },
    result: finalReceiptObject,
    errors: ['BUSY', 'EXPIRED', 'NOT_FINAL_YET'],
    handler: ({ id, timeoutMs: timeout = WAIT_MS_DEFAULT }, { signal }) =>
      waitFor(submitter, chain, id as TransactionId, timeout, signal),
  });
}

const knownTransaction = Type.Object({
  status: oneOf('pending', 'included', 'final'),
  transaction: transactionObject,
  /** The canonical encoding. */
  raw: base64Text,
  receipt: nullable(receiptObject),
  height: nullable(heightNumber),
  index: nullable(countNumber),
  block: nullable(hashText),
  time: nullable(timeText),
  /** Where it is included: how many blocks stand on its own. */
  depth: nullable(countNumber),
  /** How many have to, so that it is final; 0: a block is final at once. */
  finalityDepth: countNumber,
});

function get(chain: ChainReader, pool: PoolReader): Method {
  return method({
    name: 'tx_get',
    summary:
      'A transaction by its id: final with its receipt and place, included (`depth` of `finalityDepth` deep), or pending on this node.',
    params: { id: hashText },
    result: knownTransaction,
    errors: ['NOT_FOUND'],
    async handler({ id }) {
      const { finalityDepth } = chain.status();
      const included = chain.included(id as TransactionId);
      const recorded = included ?? (await chain.transaction(id as TransactionId));
      if (recorded) {
        const { transaction, receipt, height, index, block, time } = recorded;
        return ok({
          status: included ? ('included' as const) : ('final' as const),
          transaction: presentTransaction(transaction),
          raw: toBase64(encodeTransaction(transaction)),
          receipt: presentReceipt(receipt),
          height,
          index,
          block,
          time: timeOf(time),
          depth: included?.depth ?? null,
          finalityDepth,
        });
      }
      const pending = pool.get(id as TransactionId);
      if (!pending) return err(notHere(`no transaction ${id} here`, chain.oldest));
      const nowhere = { receipt: null, height: null, index: null, block: null, time: null, depth: null, finalityDepth };
      return ok({
        status: 'pending' as const,
        transaction: presentTransaction(pending),
        raw: toBase64(encodeTransaction(pending)),
        ...nowhere,
      });
    },
  });
}

function simulate(submitter: Submitter): Method {
  return method({
    name: 'tx_simulate',
    summary: 'The receipt that a transaction would get now; nothing is recorded and no signature is needed.',
    params: { tx: base64Text },
    result: receiptObject,
    async handler({ tx }) {
      const bytes = transactionBytes(tx);
      if (!bytes.ok) return bytes;
      const receipt = await submitter.simulate(bytes.value);
      return receipt.ok ? ok(presentReceipt(receipt.value)) : receipt;
    },
  });
}

function getProof(prover: Prover): Method {
  return method({
    name: 'tx_getProof',
    summary: 'A proof bundle of a final transaction and its receipt, for `quorate verify`.',
    params: { id: hashText },
    result: Type.Object({ bundle: base64Text }),
    errors: ['NOT_FOUND', 'RESPONSE_TOO_LARGE', 'BUSY'],
    async handler({ id }) {
      const bundle = await prover.transaction(id as TransactionId);
      return bundle.ok ? ok({ bundle: toBase64(bundle.value) }) : bundle;
    },
  });
}
