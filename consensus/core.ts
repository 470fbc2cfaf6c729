/**
 * The consensus contract. An engine is a pure state machine: facts come in as events, requests go out as effects, and
 * everything impure — clock, network, disk, keys, the ledger's execution — is the host's. Bodies never enter: an
 * engine orders headers. The same core runs in a node, in the simulator and from a recorded tape.
 *
 * What the host promises:
 * - `step` is called with one event at a time, never from within a step; `now` never decreases and is the only clock.
 * - No effect of a step, nor of any later one, is released before the persists that precede it are durable.
 * - Messages arrive sized, decoded, with their sender's signature and all `claims()` verified; who may send what is
 *   for the core to judge against its validator set.
 * - A timer that was replaced or cancelled never fires. `built` and `validated` answer what was asked, or stay silent
 *   while the answer is "not yet".
 * - A commit quorum on a block that this node judged invalid stops the node.
 *
 * What the core promises:
 * - `step` is synchronous and total: it never throws on peer input, and throws `InvariantError` on its own bugs.
 * - Effects with the same key (timer, job, block) are idempotent: asking again changes nothing.
 * - Every bound on what it keeps is a written constant.
 */
import type { Bytes } from '../ledger/types/bytes.ts';
import type { Certificate, CertificateRule } from '../ledger/types/certificate.ts';
import type { Codec } from '../ledger/types/codec.ts';
import type { Header } from '../ledger/types/header.ts';
import type { BlockId, ChainId, Height, Millis, NodeId } from '../ledger/types/ids.ts';
import type { ValidatorSet } from '../ledger/types/validator.ts';

/** Names a timer of the core; setting it again replaces it. */
export type TimerId = string;
/** Names one request to build a block. */
export type JobId = string;

/** Who decides the next height. */
export interface Config {
  readonly validators: ValidatorSet;
}

/** Genesis parameters of an engine, checked when genesis is read. All times in ms. */
export interface Params {
  /** First timeout of a view; doubles from view to view up to `viewTimeoutMsMax`. */
  readonly viewTimeoutMs: number;
  readonly viewTimeoutMsMax: number;
  /** At least this long between the adoption of one block and the proposal of the next. */
  readonly blockIntervalMinMs: number;
  /** An idle network makes an empty block this long after the last. */
  readonly heartbeatMs: number;
  /** A fresh proposal from further in the future than this gets no vote yet. */
  readonly driftMs: number;
}

/** Parameters that one engine alone takes from genesis, by name. */
export type OwnParams = Readonly<Record<string, number>>;

/** What such a parameter may be: a whole number. */
export interface OwnParamRule {
  /** Where genesis does not give it. Networks run on it, so that it never changes. */
  readonly initial: number;
  readonly min: number;
  readonly max: number;
  /** Another of the engine's own parameters, which it may not exceed. */
  readonly atMost?: string;
}

/** An engine's persisted records by name. */
export type Records = ReadonlyMap<string, Bytes>;

export interface Write {
  readonly key: string;
  /** null deletes. */
  readonly value: Bytes | null;
}

/** What a mined block must meet; only proof of work asks for one. */
export interface Target {
  readonly target: bigint;
}

/** Two signed statements of one validator that cannot both be honest. Anyone can check it with the key alone. */
export interface Evidence {
  readonly offender: NodeId;
  readonly height: Height;
  readonly view: number;
  /** What was signed twice, such as `prepare`. */
  readonly phase: string;
  readonly first: { readonly signed: Bytes; readonly signature: Bytes };
  readonly second: { readonly signed: Bytes; readonly signature: Bytes };
}

export type Event<M> =
  | { readonly type: 'message'; readonly from: NodeId; readonly message: M; readonly signature: Bytes }
  | { readonly type: 'timeout'; readonly timer: TimerId }
  /** The oldest transaction that could go into a block has waited since then; null: none waits. */
  | { readonly type: 'work'; readonly since: Millis | null }
  /** The block is held here and its body matches the header's transactions root. */
  | { readonly type: 'block'; readonly id: BlockId; readonly header: Header }
  | {
      readonly type: 'built';
      readonly job: JobId;
      readonly block: { readonly id: BlockId; readonly header: Header } | null;
    }
  /** The block was executed on its parent: `next` decides the height above it; null: invalid, for ever. */
  | { readonly type: 'validated'; readonly block: BlockId; readonly next: Config | null }
  /** The ledger moved, by `adopt` or by block sync: closes every instance at or below `height`. */
  | { readonly type: 'applied'; readonly head: BlockId; readonly header: Header; readonly config: Config };

export type Effect<M> =
  /** Engine records and whole blocks, durable together in one sync. */
  | { readonly type: 'persist'; readonly writes: readonly Write[]; readonly blocks: readonly BlockId[] }
  /** The host signs. A send to 'all' comes back to the sender as a message. */
  | { readonly type: 'send'; readonly to: readonly NodeId[] | 'all'; readonly message: M }
  /** Replaces the timer of that name; null cancels it. */
  | { readonly type: 'timer'; readonly timer: TimerId; readonly after: Millis | null }
  | {
      readonly type: 'build';
      readonly job: JobId;
      readonly parent: BlockId;
      readonly seal: Bytes;
      readonly work: Target | null;
    }
  | { readonly type: 'cancel'; readonly job: JobId }
  /** Pending until answered or below the final height. */
  | { readonly type: 'validate'; readonly block: BlockId }
  /** Bring this block's body; `from` are those known to hold it. Answered by `block`. */
  | { readonly type: 'fetch'; readonly block: BlockId; readonly from: readonly NodeId[] }
  | { readonly type: 'publish'; readonly block: BlockId; readonly to: readonly NodeId[] | 'all' }
  /** Others are at least at this height: bring certified blocks. */
  | { readonly type: 'sync'; readonly height: Height; readonly from: readonly NodeId[] }
  /** Instant finality: head = final, one per height, with its certificate. */
  | { readonly type: 'adopt'; readonly head: BlockId; readonly final: Height; readonly certificate: Certificate | null }
  | { readonly type: 'report'; readonly evidence: Evidence };

/** Where a core starts: its own records, the blocks persisted above the ledger's head, and the ledger's head. */
export interface Resume {
  readonly records: Records;
  readonly blocks: readonly { readonly id: BlockId; readonly header: Header }[];
  readonly head: BlockId;
  /** The header of `head`. */
  readonly header: Header;
  readonly final: Height;
  readonly config: Config;
  /**
   * The operator's consent to vote although the vote record is missing past genesis (`node start --votes-lost`);
   * without it a core that lost its records first waits until a quorum has moved two heights on.
   */
  readonly votesLost: boolean;
}

/** One shape for the command line, metrics and replay. */
export interface Status {
  readonly height: Height;
  readonly view: number;
  /** The engine's word for where it stands, such as `prepared`. */
  readonly phase: string;
  readonly leader: NodeId | null;
  /** Validators not heard from in the last few heights. */
  readonly missing: readonly NodeId[];
  /** Whether this node votes now: false for an observer and for a validator that waits out lost records. */
  readonly voting: boolean;
  /** View changes since the start. */
  readonly viewChanges: number;
  readonly equivocations: number;
  /** Messages, blocks and timers held, to be watched against their bounds. */
  readonly held: number;
}

export interface ConsensusCore<M> {
  start(now: Millis, resume: Resume): Effect<M>[];
  step(now: Millis, event: Event<M>): Effect<M>[];
  /** The signatures inside a message beside its own, for bulk verification before `step`; null: useless now, drop it. */
  claims(message: M): readonly { readonly signer: NodeId; readonly signed: Bytes; readonly signature: Bytes }[] | null;
  status(): Status;
  /** A canonical encoding of the core's whole state, equal for equal histories; the host hashes it. */
  digest(): Bytes;
}

export interface CoreSpec {
  /** The engine's name in genesis. */
  readonly name: string;
  /** What a block's certificate is made of, and worth; null: the engine makes none, and nothing is ever quite final. */
  readonly certificate: CertificateRule | null;
  /** The largest encoded message. */
  readonly messageBytesMax: number;
  /** The parameters of its own that genesis may give it; none, unless given. */
  readonly ownParams?: Readonly<Record<string, OwnParamRule>>;
  /** How many blocks stand on one that is final, by all of its own parameters; none, unless given: then a block is final at once. */
  finalityDepth?(own: OwnParams): number;
  /** The most validators that it bears; as many as a set may have unless given. */
  readonly validatorsMax?: number;
}

/** What a core is made with. */
export interface CoreDeps {
  /** null: an observer, which follows and never votes. */
  readonly self: NodeId | null;
  readonly chainId: ChainId;
  readonly params: Params;
  /** What genesis gives of the engine's own parameters, checked by their rules; each has its initial value unless given. */
  readonly own?: OwnParams;
  readonly seed: bigint;
}

export interface CoreModule<M> {
  readonly spec: CoreSpec;
  readonly codec: Codec<M>;
  /** The fixed payload that a message's signature covers, never the attachments. */
  signed(chainId: ChainId, message: M): Bytes;
  create(deps: CoreDeps): ConsensusCore<M>;
}
