/** What Raft's servers tell each other, and the fixed bytes that each message's own signature covers. */
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';
import { CRASH_ACK, votePayload } from '../../ledger/types/certificate.ts';
import { type Codec, encode } from '../../ledger/types/codec.ts';
import type { BlockId, ChainId, Height } from '../../ledger/types/ids.ts';
import { tagged } from '../../ledger/types/tags.ts';
import { type Claim, type SignerSignature, voteClaims } from '../certificate.ts';
import { bodies } from './codec.ts';

/** Asks whether the sender could win an election, without starting one (thesis 9.6). Changes nothing at anyone. */
export interface PreVote {
  readonly type: 'pre-vote';
  /** The term that it would campaign in. */
  readonly term: number;
  readonly lastTerm: number;
  readonly lastHeight: Height;
  /** Its final height: where nobody leads, one who is behind learns it here. */
  readonly height: Height;
}

/** Asks for the receiver's vote (RequestVote, figure 2). */
export interface VoteRequest {
  readonly type: 'vote-request';
  readonly term: number;
  readonly lastTerm: number;
  readonly lastHeight: Height;
  /** The leader itself wished for this election: whoever still hears it votes all the same (thesis 3.10). */
  readonly transfer: boolean;
}

export interface Vote {
  readonly type: 'vote';
  /** The term of a granted request, or the sender's own. */
  readonly term: number;
  readonly pre: boolean;
  readonly granted: boolean;
  /** The sender's final height: one who is behind learns it here. */
  readonly height: Height;
}

/** The leader's whole log above its ledger, and its heartbeat (AppendEntries, figure 2). Headers and bodies travel apart. */
export interface Append {
  readonly type: 'append';
  readonly term: number;
  /** The leader's final height and the block there, on which the entries stand. */
  readonly height: Height;
  readonly block: BlockId;
  readonly entries: readonly BlockId[];
  /** Asks for a sign of life, and for acknowledgements that were said before. */
  readonly beat: boolean;
}

/** The answer to a heartbeat, or to the leader of an earlier term. */
export interface AppendReply {
  readonly type: 'append-reply';
  readonly term: number;
  /** The sender's final height. */
  readonly height: Height;
}

/**
 * The sender holds the leader's log through `block` and on to an entry of `term`, durably. Signed as the vote that certificates
 * are made of: a majority of these makes the block final.
 */
export interface Ack {
  readonly type: 'ack';
  readonly term: number;
  readonly height: Height;
  readonly block: BlockId;
}

/** The acknowledgements that made a block final. */
export interface Decision {
  readonly type: 'decision';
  readonly term: number;
  readonly height: Height;
  readonly block: BlockId;
  /** In ascending order of signer. */
  readonly signatures: readonly SignerSignature[];
}

/** The leader leaves and wishes for the receiver as its successor (thesis 3.10). */
export interface TimeoutNow {
  readonly type: 'timeout-now';
  readonly term: number;
}

/** Asks for the receiver's final height. */
export interface StatusRequest {
  readonly type: 'status-request';
  /** The asker's final height, which tells the receiver who is behind. */
  readonly height: Height;
  /** Comes back in the answer, so that no old answer passes for it. */
  readonly nonce: number;
}

export interface StatusMessage {
  readonly type: 'status';
  /** The sender's final height. */
  readonly height: Height;
  readonly nonce: number;
  readonly term: number;
  /** The height at which its log ends. */
  readonly lastHeight: Height;
  /** Whether it has its record. */
  readonly recorded: boolean;
}

export type Message =
  | PreVote
  | VoteRequest
  | Vote
  | Append
  | AppendReply
  | Ack
  | Decision
  | TimeoutNow
  | StatusRequest
  | StatusMessage;

export function signed(chainId: ChainId, message: Message): Bytes {
  const { type } = message;
  if (type === 'ack') return votePayload(CRASH_ACK.tag, chainId, message.height, message.term, message.block);
  if (type === 'decision')
    return votePayload('quorate/raft/decision/1', chainId, message.height, message.term, message.block);
  return concatBytes(tagged(`quorate/raft/${type}/1`, chainId), encode(bodies[type] as Codec<Message>, message));
}

/** The signatures that a message carries for others, each with what it signs. */
export function claimsOf(chainId: ChainId, { height, term, block, signatures }: Decision): Claim[] {
  return voteClaims(CRASH_ACK.tag, chainId, height, { view: term, block }, signatures);
}
