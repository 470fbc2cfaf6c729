/** What Paxos' nodes tell each other, and the fixed bytes that each message's own signature covers. */
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';
import { CRASH_ACK, votePayload } from '../../ledger/types/certificate.ts';
import { encode } from '../../ledger/types/codec.ts';
import type { BlockId, ChainId, Height, NodeId } from '../../ledger/types/ids.ts';
import { tagged } from '../../ledger/types/tags.ts';
import { type Claim, type VoteCertificate, voteClaims } from '../certificate.ts';
import { bodies } from './codec.ts';

/** What an acceptor has accepted at a height: the block, and in which round. */
export interface Accepted {
  readonly round: number;
  readonly block: BlockId;
}

/** Phase 1a: the sender asks to lead from `height` on in the ballot (round, sender). */
export interface Prepare {
  readonly type: 'prepare';
  readonly height: Height;
  readonly round: number;
}

/** Phase 1b: the sender takes part in no ballot below (round, proposer) any more, and in no other of that round. */
export interface PromiseMessage {
  readonly type: 'promise';
  /** Of the prepare. */
  readonly height: Height;
  readonly round: number;
  readonly proposer: NodeId;
  /** What the sender accepted last at `height`. */
  readonly accepted: Accepted | null;
  /** The sender's final height, below `height`. */
  readonly final: Height;
}

/** The sender has promised `promised` and takes no part in the receiver's ballot of `round`. */
export interface Nack {
  readonly type: 'nack';
  readonly round: number;
  readonly promised: number;
}

/** Phase 2a: accept this block. Its header and body travel apart. */
export interface Accept {
  readonly type: 'accept';
  readonly height: Height;
  readonly round: number;
  readonly block: BlockId;
  /** Whether the sender built the block for this ballot; else it was named in a promise. */
  readonly fresh: boolean;
}

/** Phase 2b: the sender has accepted the block, durably. More than half of the power in one round makes it final. */
export interface AcceptedMessage extends Accepted {
  readonly type: 'accepted';
  readonly height: Height;
}

/** The distinguished proposer lives, and works on `height`. */
export interface Beat {
  readonly type: 'beat';
  readonly height: Height;
  readonly round: number;
}

/** The acceptances that made a block final; `view` is their round. */
export interface Decision extends VoteCertificate {
  readonly type: 'decision';
  readonly height: Height;
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
  /** Of the request; 0 in a hint that nobody asked for. */
  readonly nonce: number;
  /** Whether the sender has its record. */
  readonly recorded: boolean;
}

export type Message =
  | Prepare
  | PromiseMessage
  | Nack
  | Accept
  | AcceptedMessage
  | Beat
  | Decision
  | StatusRequest
  | StatusMessage;

export function signed(chainId: ChainId, message: Message): Bytes {
  switch (message.type) {
    case 'accepted':
      return votePayload(CRASH_ACK.tag, chainId, message.height, message.round, message.block);
    case 'decision':
      return votePayload('quorate/paxos/decision/1', chainId, message.height, message.view, message.block);
    case 'prepare':
      return concatBytes(tagged('quorate/paxos/prepare/1', chainId), encode(bodies.prepare, message));
    case 'promise':
      return concatBytes(tagged('quorate/paxos/promise/1', chainId), encode(bodies.promise, message));
    case 'nack':
      return concatBytes(tagged('quorate/paxos/nack/1', chainId), encode(bodies.nack, message));
    case 'accept':
      return concatBytes(tagged('quorate/paxos/accept/1', chainId), encode(bodies.accept, message));
    case 'beat':
      return concatBytes(tagged('quorate/paxos/beat/1', chainId), encode(bodies.beat, message));
    case 'status-request':
      return concatBytes(tagged('quorate/paxos/status-request/1', chainId), encode(bodies.statusRequest, message));
    case 'status':
      return concatBytes(tagged('quorate/paxos/status/1', chainId), encode(bodies.status, message));
  }
}

/** The signatures that a message carries for others, each with what it signs: a function of the message alone. */
export function claimsOf(chainId: ChainId, message: Message): Claim[] {
  if (message.type !== 'decision') return [];
  return voteClaims(CRASH_ACK.tag, chainId, message.height, message, message.signatures);
}
