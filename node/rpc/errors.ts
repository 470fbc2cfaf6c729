/**
 * Every error a client can see, once: code word → JSON-RPC number, HTTP status and what to do next. Codes are stable;
 * a word that is not listed is a refusal of the ledger's own rules and goes out as −32010 with its word in `data.code`.
 */
import type { Fault } from '../../ledger/types/errors.ts';

interface ErrorRow {
  /** JSON-RPC error number: the specification's, or −32001 … −32011 of this ledger. */
  readonly number: number;
  /** HTTP status where an answer is not a JSON-RPC one. */
  readonly status: number;
  readonly hint: string;
}

export const LEDGER_REFUSAL = -32010;
const BUSY = -32006;
/** What a busy node asks a client to wait where it knows no better. */
const BUSY_RETRY_MS = 1_000;

export const ERRORS = {
  PARSE_ERROR: { number: -32700, status: 400, hint: 'send one JSON value in UTF-8' },
  INVALID_REQUEST: {
    number: -32600,
    status: 400,
    hint: 'send {"jsonrpc": "2.0", "method": …, "params": …, "id": …}; an id is a string, an integer or null',
  },
  METHOD_NOT_FOUND: { number: -32601, status: 404, hint: 'see docs/rpc.md for the methods there are' },
  INVALID_PARAMS: { number: -32602, status: 400, hint: 'see docs/rpc.md for the parameters of this method' },
  INTERNAL_ERROR: {
    number: -32603,
    status: 500,
    hint: 'a fault of this node: look into its log, ask another node meanwhile',
  },

  DUPLICATE: {
    number: -32001,
    status: 409,
    hint: 'this transaction is recorded: its receipt is in data.receipt',
  },
  BAD_SIGNATURE: {
    number: -32002,
    status: 400,
    hint: 'sign the transaction id for this chain id with the keys of the sender, sorted by key',
  },
  EXPIRED: { number: -32003, status: 410, hint: 'build and sign the transaction anew with a later validUntil' },
  BEYOND_WINDOW: {
    number: -32003,
    status: 400,
    hint: 'choose an earlier validUntil: block time plus ten minutes at most',
  },

  NOT_FOUND: { number: -32004, status: 404, hint: 'check the id or height, or ask again once it is final' },

  BATCH_TOO_LARGE: { number: -32005, status: 413, hint: 'send at most 1000 calls in one batch' },
  REQUEST_TOO_LARGE: { number: -32005, status: 413, hint: 'send fewer calls or transactions in one request' },
  RESPONSE_TOO_LARGE: {
    number: -32005,
    status: 413,
    hint: 'ask for less: a smaller limit, fewer calls, no full bodies',
  },
  TOO_MANY_TRANSACTIONS: { number: -32005, status: 413, hint: 'send at most 1000 transactions and 2 MB at once' },
  TRANSACTION_TOO_LARGE: { number: -32005, status: 413, hint: 'split it into several transactions' },
  TOO_MANY_OPERATIONS: { number: -32005, status: 413, hint: 'split it into several transactions' },
  OFFLINE_FULL: {
    number: -32005,
    status: 429,
    hint: 'this account has as many transactions beyond the ordinary window as it may: choose an earlier validUntil',
  },
  RATE_LIMITED: { number: -32005, status: 429, hint: 'wait data.retryAfterMs, then send fewer calls in a second' },

  BUSY: { number: BUSY, status: 503, hint: 'send the same again after data.retryAfterMs' },

  POOL_FULL: { number: BUSY, status: 503, hint: 'send the same again a little later, or to another node' },
  SENDER_FULL: {
    number: BUSY,
    status: 503,
    hint: 'this sender has as many transactions waiting as it may: send the same again when some are final',
  },

  NOT_AUTHORISED: { number: -32007, status: 403, hint: 'an administrator can give the sender the role it lacks' },
  UNKNOWN_SENDER: { number: -32007, status: 403, hint: 'a manager of its member can add the account to the network' },

  WRONG_KEYS: {
    number: -32007,
    status: 403,
    hint: 'sign with exactly as many of the account’s current keys as its threshold: account_get shows both',
  },

  SYNCING: {
    number: -32008,
    status: 503,
    hint: 'wait until chain_getStatus says that syncing is false, or ask another node',
  },

  PRUNED: { number: -32009, status: 410, hint: 'ask for data.oldestHeight or later' },

  BAD_ID: { number: -32602, status: 400, hint: 'write the id as an EPC URN or a GS1 Digital Link' },
  BAD_CHECK_DIGIT: { number: -32602, status: 400, hint: 'one of the digits is wrong: compare them with the label' },
  MALFORMED_TRANSACTION: {
    number: -32602,
    status: 400,
    hint: 'encode the transaction as docs/protocol.md says: every value has one encoding',
  },
  MALFORMED_PAYLOAD: {
    number: LEDGER_REFUSAL,
    status: 400,
    hint: 'encode the payload by the schema of its operation in docs/protocol.md',
  },
  UNKNOWN_OPERATION: { number: LEDGER_REFUSAL, status: 400, hint: 'docs/protocol.md lists the operations there are' },
  WRONG_CHAIN: { number: LEDGER_REFUSAL, status: 400, hint: 'sign for the chain id that chain_getStatus shows' },
  AFTER_NOT_RECORDED: {
    number: LEDGER_REFUSAL,
    status: 409,
    hint: 'record the transaction that `after` names first',
  },

  NOT_FINAL_YET: {
    number: -32011,
    status: 504,
    hint: 'wait again with tx_wait, or send the same bytes again: both are safe',
  },

  HOST_REFUSED: { number: -32600, status: 403, hint: 'add the name to rpc.hosts in config.toml' },
  ORIGIN_REFUSED: { number: -32600, status: 403, hint: 'add the origin to rpc.origins in config.toml' },
  NO_SUCH_PAGE: { number: -32601, status: 404, hint: 'JSON-RPC is served at POST /' },
  BAD_HTTP_REQUEST: { number: -32600, status: 400, hint: 'send an HTTP/1.1 request' },
} as const satisfies Readonly<Record<string, ErrorRow>>;

export type ErrorCode = keyof typeof ERRORS;

const rows: ReadonlyMap<string, ErrorRow> = new Map(Object.entries(ERRORS));

/** A fault of the table; `hint` only where there is something better to say than the table does. */
export function fault(
  code: ErrorCode,
  message: string,
  more: { readonly hint?: string; readonly data?: Readonly<Record<string, unknown>> } = {},
): Fault {
  return {
    code,
    message,
    hint: more.hint ?? ERRORS[code].hint,
    ...(more.data === undefined ? {} : { data: more.data }),
  };
}

/** A refusal of the ledger's own rules, by its code and what it concerns. */
export function refusalFault(code: string, concerns: string): Fault {
  const message = concerns === '' ? `refused: ${code}` : `refused: ${code} (${concerns})`;
  return { code, message, hint: hintOf(code), data: { concerns } };
}

const hintOf = (code: string): string => rows.get(code)?.hint ?? 'docs/protocol.md says what this code means';

export const httpStatus = (code: string): number => rows.get(code)?.status ?? 422;

/** The JSON-RPC error object of a fault; `data` always has `code` and `hint`, and `retryAfterMs` where the node is busy. */
export interface ErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data: { readonly code: string; readonly hint: string } & Readonly<Record<string, unknown>>;
}

export function errorObject({ code, message, hint, data }: Fault): ErrorObject {
  const number = rows.get(code)?.number ?? LEDGER_REFUSAL;
  const retry = number === BUSY ? { retryAfterMs: BUSY_RETRY_MS } : {};
  return { code: number, message, data: { ...retry, ...data, code, hint: hint === '' ? hintOf(code) : hint } };
}
