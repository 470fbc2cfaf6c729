import { bool, type Codec, list, struct, text, uint } from './codec.ts';
import { hash, type TransactionId } from './ids.ts';

export const EVENTS_MAX = 2_000;
export const ATTRIBUTES_MAX = 16;
/** Bytes of an attribute's value. */
export const VALUE_BYTES_MAX = 1024;
export const CONCERNS_BYTES_MAX = 1024;

/** Something that an operation wants the world to know, for subscribers and indexes: name, then pairs of text. */
export interface LedgerEvent {
  /** `module.pastTense`, such as `tokens.transferred`. */
  readonly kind: string;
  readonly attributes: readonly (readonly [name: string, value: string])[];
}

/** What became of a recorded transaction. A failed one changed nothing but this. */
export interface Receipt {
  readonly transaction: TransactionId;
  readonly succeeded: boolean;
  /** Index of the operation that was refused; 0 for a success. */
  readonly operation: number;
  /** Stable upper-case word of the refusal; empty for a success. */
  readonly code: string;
  /** The id, event or number that the refusal concerns; empty for a success. */
  readonly concerns: string;
  /** Empty for a failure. */
  readonly events: readonly LedgerEvent[];
}

const attributeName = text(64);
const attributeValue = text(VALUE_BYTES_MAX);
const attribute: Codec<readonly [string, string]> = {
  write(writer, [name, value]) {
    attributeName.write(writer, name);
    attributeValue.write(writer, value);
  },
  read: reader => [attributeName.read(reader), attributeValue.read(reader)],
};

const event: Codec<LedgerEvent> = struct({ kind: text(64), attributes: list(attribute, ATTRIBUTES_MAX) });

export const receipt: Codec<Receipt> = struct({
  transaction: hash,
  succeeded: bool,
  operation: uint(),
  code: text(64),
  concerns: text(CONCERNS_BYTES_MAX),
  events: list(event, EVENTS_MAX),
});
