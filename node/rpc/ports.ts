/**
 * What the API needs of the node, narrow on purpose: each namespace takes the readers it uses and no more. Every answer is a
 * value of the ledger's own types; turning it into JSON is the API's part.
 */
import type { Evidence, Status } from '../../consensus/core.ts';
import type { ModuleState } from '../../ledger/modules/operation.ts';
import type { Reader } from '../../ledger/modules/supply/queries/reader.ts';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { Certificate } from '../../ledger/types/certificate.ts';
import type { Fault, Result } from '../../ledger/types/errors.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, ChainId, Hash, Height, Millis, PublicKey, TransactionId } from '../../ledger/types/ids.ts';
import type { Receipt } from '../../ledger/types/receipt.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import type { FinalReceipt, Waited } from '../acknowledgements.ts';
import type { Awaitable } from './method.ts';

export interface ChainStatus {
  readonly chainId: ChainId;
  readonly genesisId: Hash;
  readonly engine: string;
  /** What the engine's certificates are worth. */
  readonly trust: 'byzantine' | 'crash' | 'none';
  /** What final means here, in a sentence. */
  readonly finality: string;
  /** How many blocks stand on one that is final; 0: a block is final at once. */
  readonly finalityDepth: number;
  /** Of the head, which is above the final height only where finality takes depth. */
  readonly height: Height;
  readonly finalHeight: Height;
  readonly head: BlockId;
  /** Of the head's header. */
  readonly time: Millis;
  readonly syncing: boolean;
  /** How far this node is behind the highest height that it has reason to believe in. */
  readonly blocksBehind: number;
  readonly validators: number;
}

export interface StoredBlock {
  readonly block: IdentifiedBlock;
  /** null: genesis, or an engine without certificates. */
  readonly certificate: Certificate | null;
}

export interface RecordedTransaction {
  readonly transaction: IdentifiedTransaction;
  readonly receipt: Receipt;
  readonly height: Height;
  readonly index: number;
  readonly block: BlockId;
  /** Of the block. */
  readonly time: Millis;
}

/** A transaction that stands in a block, which is not final yet: it may still be dropped, and recorded in another. */
export interface IncludedTransaction extends RecordedTransaction {
  /** How many blocks stand on its own. */
  readonly depth: number;
}

/** Final blocks, whole or in part. null: there is none, or not here. */
export interface ChainReader {
  status(): ChainStatus;
  /** The lowest height whose block is held whole: above 0 where this node began from a snapshot. */
  readonly oldest: Height;
  block(at: Height | BlockId): Awaitable<StoredBlock | null>;
  header(height: Height): Awaitable<{ readonly id: BlockId; readonly header: Header } | null>;
  receipts(height: Height): Awaitable<readonly Receipt[] | null>;
  transaction(id: TransactionId): Awaitable<RecordedTransaction | null>;
  /** What stands above the final block; null: nothing of that id does. */
  included(id: TransactionId): IncludedTransaction | null;
}

export type Admission =
  /** Form and signatures are good and it waits for its block, now or already. */
  | { readonly type: 'admitted'; readonly id: TransactionId }
  /** It was recorded before. */
  | { readonly type: 'final'; readonly final: FinalReceipt }
  | { readonly type: 'refused'; readonly fault: Fault };

export interface Submitter {
  /**
   * Answers each of `transactions` in order. Over capacity it refuses with `BUSY` and `data.retryAfterMs` before it decodes
   * anything or checks any signature.
   */
  submit(transactions: readonly Bytes[]): Promise<readonly Admission[]>;
  /** Resolves with `busy` at once where too many wait already, and with `timeout` no later than `timeoutMs`. */
  wait(id: TransactionId, timeoutMs: number, signal: AbortSignal): Promise<Waited | 'expired'>;
  /** The receipt that the transaction would get on the head, without recording anything. */
  simulate(transaction: Bytes): Awaitable<Result<Receipt, Fault>>;
}

export interface StateEntry {
  readonly key: string;
  readonly value: Bytes;
}

/** The versions of the final state that are held: those after the blocks of heights `oldest` to `newest`. */
export interface StateReader {
  range(): { readonly oldest: Height; readonly newest: Height };
  /** The version of a height in range. */
  at(height: Height): Pick<ModuleState, 'get'>;
  /** Entries of the newest version whose keys begin with `prefix` and come after the key `after`, in the order of keys. */
  list(prefix: string, after: string | null, limit: number): Awaitable<readonly StateEntry[]>;
  /** Every token of the newest version in ascending order; null: too many to look at each. */
  tokens(): readonly string[] | null;
}

/** What the questions of the supply module read: the newest final state, whole and unchanged within one step of the process. */
export interface SupplyReader {
  newest(): Reader;
}

/** Proof bundles in their canonical encoding. */
export interface Prover {
  transaction(id: TransactionId): Awaitable<Result<Bytes, Fault>>;
  /** `height` is in the state reader's range. */
  state(key: string, height: Height): Awaitable<Result<Bytes, Fault>>;
}

export interface PoolStatus {
  readonly transactions: number;
  readonly bytes: number;
  readonly transactionsMax: number;
  readonly bytesMax: number;
  /** Since when the oldest that could go into a block waits; null: none waits. */
  readonly oldestSince: Millis | null;
}

export interface PoolReader {
  status(): PoolStatus;
  get(id: TransactionId): IdentifiedTransaction | null;
}

export interface NodeInfo {
  /** The key by which other nodes know this one. */
  readonly nodeKey: PublicKey;
  /** null: an observer. */
  readonly validatorKey: PublicKey | null;
  readonly version: string;
  readonly protocolVersion: number;
  readonly startedAt: Millis;
  /** The switch for measurements: clients' signatures are taken for good. */
  readonly uncheckedSignatures: boolean;
  readonly consensus: Status;
}

export interface PeerRecord {
  readonly nodeKey: PublicKey;
  /** Where it is connected from or to. */
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
  /** null: an observer, or not yet known. */
  readonly validatorKey: PublicKey | null;
  /** As the peer last said; null before it has. */
  readonly height: Height | null;
  readonly connectedAt: Millis;
}

export interface NodeReader {
  info(): NodeInfo;
  peers(): readonly PeerRecord[];
  /** The newest last. */
  evidence(): readonly Evidence[];
  /** Why this node is not fit to serve, such as that it has no peers; null where it is. */
  unfit(): string | null;
}

/** Where calls and failures are reported. */
export interface Reporter {
  called(method: string, code: string | null, durationMs: number): void;
  failed(what: string, error: unknown): void;
}
