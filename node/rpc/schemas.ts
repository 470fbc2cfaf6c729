/** The shapes of the API's values. A description completes the sentence "… must be". */
import Type from 'typebox';

const text = (description: string, pattern: string, length: number) =>
  Type.String({ description, pattern, minLength: length, maxLength: length });

export const hashText = text('64 lower-case hex digits', '^[0-9a-f]{64}$', 64);
export const addressText = text('an address: qr1 and 61 more characters', '^qr1[02-9ac-hj-np-z]{61}$', 64);
/** Standard alphabet, padded; decoded by {@link fromBase64}, which refuses a second spelling of the same bytes. */
export const base64Text = Type.String({ description: 'base64', contentEncoding: 'base64' });
export const keyText = Type.String({ description: 'a key with its type, such as ed25519:… in hex' });
export const heightNumber = Type.Integer({ description: 'a height', minimum: 0 });
export const countNumber = Type.Integer({ description: 'a number from 0 on', minimum: 0 });
export const timeText = Type.String({ description: 'a time: RFC 3339 in UTC with ms', format: 'date-time' });
export const amountText = Type.String({ description: 'a decimal string', pattern: '^(0|[1-9][0-9]*)$' });
export const stateKeyText = Type.String({
  description: 'a text path of 1 to 512 characters',
  minLength: 1,
  maxLength: 512,
});

export const nullable = <T extends Type.TSchema>(type: T) => Type.Union([type, Type.Null()]);

/** One of a few words. */
export const oneOf = <const W extends string>(...words: W[]) =>
  Type.Unsafe<W>({ type: 'string', enum: words, description: `one of ${words.join(', ')}` });

export const headerObject = Type.Object({
  version: countNumber,
  chainId: Type.String(),
  height: heightNumber,
  parent: hashText,
  time: timeText,
  proposer: keyText,
  transactionsRoot: hashText,
  receiptsRoot: hashText,
  stateRoot: hashText,
  historyRoot: hashText,
  nextValidatorsHash: hashText,
  seal: base64Text,
});

export const certificateObject = Type.Object({
  height: heightNumber,
  block: hashText,
  view: countNumber,
  phase: countNumber,
  signatures: Type.Array(Type.Object({ index: countNumber, signature: base64Text })),
});

export const operationObject = Type.Object({
  kind: Type.String(),
  /** As its module's schema decodes it; null where no module knows it. */
  payload: Type.Unknown(),
});

export const transactionObject = Type.Object({
  id: hashText,
  chainId: Type.String(),
  sender: addressText,
  validUntil: timeText,
  salt: base64Text,
  after: nullable(hashText),
  operations: Type.Array(operationObject),
  signatures: Type.Array(Type.Object({ key: keyText, signature: base64Text })),
  bytes: countNumber,
});

export const receiptObject = Type.Object({
  transaction: hashText,
  succeeded: Type.Boolean(),
  operation: countNumber,
  code: Type.String(),
  concerns: Type.String(),
  events: Type.Array(Type.Object({ kind: Type.String(), attributes: Type.Record(Type.String(), Type.String()) })),
});

/** A receipt and where in the ledger it stands: the acknowledgement. */
export const finalReceiptObject = Type.Object({
  ...receiptObject.properties,
  height: heightNumber,
  index: countNumber,
});
