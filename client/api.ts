/** The methods of a node as a client sees them: names, parameters and results. Hashes are hex, bytes base64, amounts decimal text. */
import type { Address } from '../ledger/types/address.ts';
import type { ChainId, Hash, TransactionId } from '../ledger/types/ids.ts';

export interface ChainStatus {
  readonly chainId: ChainId;
  readonly genesisId: Hash;
  readonly engine: string;
  readonly trust: 'byzantine' | 'crash' | 'none';
  /** What final means here, in a sentence. */
  readonly finality: string;
  /** How many blocks stand on one that is final; 0: a block is final at once. */
  readonly finalityDepth: number;
  readonly height: number;
  readonly finalHeight: number;
  readonly head: Hash;
  /** Of the head, RFC 3339. */
  readonly time: string;
  readonly syncing: boolean;
  readonly blocksBehind: number;
  readonly validators: number;
  readonly version: string;
}

export interface ReceiptEvent {
  readonly kind: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What became of a recorded transaction, and where it stands. */
export interface FinalReceipt {
  readonly transaction: TransactionId;
  readonly succeeded: boolean;
  /** Index of the operation that was refused. */
  readonly operation: number;
  readonly code: string;
  readonly concerns: string;
  readonly events: readonly ReceiptEvent[];
  readonly height: number;
  readonly index: number;
}

export interface PresentedTransaction {
  readonly id: TransactionId;
  readonly chainId: ChainId;
  readonly sender: Address;
  readonly validUntil: string;
  readonly after: TransactionId | null;
  readonly operations: readonly { readonly kind: string; readonly payload: unknown }[];
  readonly signatures: readonly { readonly key: string; readonly signature: string }[];
  readonly bytes: number;
}

/** A transaction is in a block that `depth` of the `finalityDepth` blocks stand on which make it final. */
export interface Inclusion {
  readonly height: number;
  readonly depth: number;
  readonly finalityDepth: number;
}

export interface KnownTransaction {
  /** `included`: in a block that is not final yet. */
  readonly status: 'pending' | 'included' | 'final';
  readonly transaction: PresentedTransaction;
  readonly raw: string;
  readonly receipt: Omit<FinalReceipt, 'height' | 'index'> | null;
  readonly height: number | null;
  readonly index: number | null;
  readonly block: Hash | null;
  readonly time: string | null;
  /** Where it is included: how many blocks stand on its own. */
  readonly depth: number | null;
  /** How many have to, so that it is final; 0: a block is final at once. */
  readonly finalityDepth: number;
}

export interface Balance {
  readonly token: string;
  readonly amount: string;
  readonly decimals: number;
  readonly frozen: boolean;
}

export interface AccountState extends Holder {
  readonly address: Address;
  readonly balances: readonly Balance[];
  readonly next: string | null;
}

export interface TokenState {
  readonly token: string;
  readonly name: string;
  readonly decimals: number;
  readonly supply: string;
  readonly admins: readonly Address[];
}

export interface ValidatorState {
  readonly key: string;
  readonly power: number;
  readonly member: string;
  readonly name: string;
}

export interface ProposalState {
  readonly id: Hash;
  readonly change: { readonly type: string; readonly key: string } & Readonly<Record<string, unknown>>;
  readonly proposer: string;
  readonly expires: string;
  readonly votes: readonly string[];
}

export interface MemberState {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly administrators: number;
  readonly nodes: number;
}

/** Who holds an account and what it may do now. */
export interface Holder {
  readonly member: string | null;
  readonly roles: readonly string[];
  readonly suspended: boolean;
  readonly threshold: number;
  readonly keys: readonly string[];
}

export interface ListedNode {
  readonly nodeKey: string;
  readonly name: string;
  readonly member: string;
  readonly role: 'validator' | 'observer';
}

export interface NodeInfo {
  readonly nodeKey: string;
  readonly validatorKey: string | null;
  readonly version: string;
  readonly protocolVersion: number;
  readonly startedAt: string;
  /** true on a network for measurements, which takes clients' signatures for good. */
  readonly uncheckedSignatures: boolean;
  readonly consensus: {
    readonly height: number;
    readonly view: number;
    readonly phase: string;
    readonly leader: string | null;
    readonly missing: readonly string[];
    readonly voting: boolean;
    readonly viewChanges: number;
    readonly equivocations: number;
    readonly held: number;
  };
}

export interface Peer {
  readonly nodeKey: string;
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
  readonly validatorKey: string | null;
  readonly height: number | null;
  readonly connectedAt: string;
}

/** Two signed statements of one validator that contradict each other; bytes in base64. */
export interface Evidence {
  readonly offender: string;
  readonly height: number;
  readonly view: number;
  readonly phase: string;
  readonly first: { readonly signed: string; readonly signature: string };
  readonly second: { readonly signed: string; readonly signature: string };
}

export interface Block {
  readonly id: Hash;
  readonly header: Readonly<Record<string, unknown>> & { readonly height: number; readonly time: string };
  readonly transactions: readonly unknown[];
  readonly certificate: Readonly<Record<string, unknown>> | null;
}

/** Where a thing is: in `place`, answered for by `member`, on its way `to` somebody. */
export interface Whereabouts {
  readonly place: 'held' | 'inside' | 'transit' | 'left' | 'consumed' | 'decommissioned';
  readonly member: string | null;
  readonly to: string | null;
  readonly container: string | null;
}

export interface Stock extends Whereabouts {
  readonly quantity: string;
  readonly unit: string | null;
}

export interface ItemState {
  readonly id: string;
  readonly type: 'item';
  readonly origin: string;
  readonly where: Whereabouts;
  readonly containers: readonly string[];
  readonly lot: string | null;
  readonly changed: Hash;
  readonly changedAt: string;
}

export interface LotState {
  readonly id: string;
  readonly type: 'lot';
  readonly origin: string;
  readonly stock: readonly Stock[];
}

export interface SupplyEvent {
  readonly hash: Hash;
  readonly eventID: string | null;
  readonly type: string;
  readonly action: string | null;
  readonly bizStep: string | null;
  readonly eventTime: string;
  readonly recordTime: string;
  readonly member: string;
  readonly height: number;
  readonly transaction: TransactionId;
  readonly void: Hash | null;
  readonly correctedBy: readonly Hash[];
  readonly attestedBy: readonly string[];
}

export interface TraceStep {
  readonly id: string;
  readonly depth: number;
  readonly from: string | null;
  readonly relation: 'start' | 'transformed' | 'lot';
  readonly transformation: string | null;
  readonly event: Hash | null;
  readonly void: boolean;
}

export interface RecallStep {
  readonly id: string;
  readonly reason: 'bad' | 'made from' | 'belongs to' | 'contained' | 'packed with';
  readonly because: string | null;
  readonly event: Hash | null;
  readonly void: boolean;
  readonly where: Whereabouts | null;
  readonly stock: readonly Stock[];
}

export interface StockLine {
  readonly id: string;
  /** Null for an item. */
  readonly quantity: string | null;
  readonly unit: string | null;
  /** How many members an item holds. */
  readonly contents: number;
  readonly from?: string;
  readonly to?: string | null;
}

export interface ErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface PageRequest {
  readonly limit?: number;
  readonly cursor?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null after the last. */
  readonly next: string | null;
}

type Method<P, R> = { readonly params: P; readonly result: R };
type None = Readonly<Record<string, never>>;

export interface Methods {
  readonly chain_getStatus: Method<None, ChainStatus>;
  readonly chain_getBlock: Method<{ height?: number; id?: string; full?: boolean }, Block>;
  readonly tx_submit: Method<{ tx: string }, TransactionId>;
  readonly tx_submitBatch: Method<
    { txs: readonly string[] },
    readonly ({ readonly id: TransactionId } | { readonly error: ErrorObject })[]
  >;
  readonly tx_wait: Method<{ id: string; timeoutMs?: number }, FinalReceipt>;
  readonly tx_get: Method<{ id: string }, KnownTransaction>;
  readonly tx_simulate: Method<{ tx: string }, Omit<FinalReceipt, 'height' | 'index'>>;
  readonly tx_getProof: Method<{ id: string }, { readonly bundle: string }>;
  readonly account_get: Method<{ address: string } & PageRequest, AccountState>;
  readonly token_get: Method<{ token: string }, TokenState>;
  readonly token_list: Method<PageRequest, Page<TokenState>>;
  readonly validator_list: Method<
    { height?: number } & PageRequest,
    Page<ValidatorState> & { readonly height: number; readonly totalPower: number }
  >;
  readonly validator_listProposals: Method<PageRequest, Page<ProposalState>>;
  readonly member_list: Method<{ height?: number } & PageRequest, Page<MemberState>>;
  readonly member_listAccounts: Method<{ member: string } & PageRequest, Page<Holder & { readonly address: Address }>>;
  readonly member_listPrefixes: Method<{ member: string } & PageRequest, Page<string>>;
  readonly member_listNodes: Method<PageRequest, Page<ListedNode>>;
  readonly supply_getItem: Method<{ epc: string }, ItemState | LotState>;
  readonly supply_getEvents: Method<{ epc: string } & PageRequest, Page<SupplyEvent>>;
  readonly supply_trace: Method<{ epc: string; direction: 'upstream' | 'downstream' } & PageRequest, Page<TraceStep>>;
  readonly supply_recall: Method<{ epc: string } & PageRequest, Page<RecallStep>>;
  readonly supply_listItems: Method<
    { holder?: string; addressee?: string; container?: string } & PageRequest,
    Page<StockLine>
  >;
  readonly node_getInfo: Method<None, NodeInfo>;
  readonly node_getPeers: Method<PageRequest, Page<Peer>>;
  /** `value` in base64; null: the key is absent. */
  readonly state_get: Method<
    { readonly key: string; readonly height?: number },
    { readonly key: string; readonly value: string | null; readonly height: number }
  >;
  readonly node_getEvidence: Method<PageRequest, Page<Evidence>>;
}

export type MethodName = keyof Methods;
