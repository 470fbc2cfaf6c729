/** What the validators of a three-phase engine tell each other, and the fixed bytes that each message's own signature covers. */
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';
import { votePayload } from '../../ledger/types/certificate.ts';
import { encode, struct } from '../../ledger/types/codec.ts';
import { type BlockId, type ChainId, type Height, height } from '../../ledger/types/ids.ts';
import { tagged } from '../../ledger/types/tags.ts';
import { type Claim, type VoteCertificate, voteClaims } from '../certificate.ts';
import { nonce, recorded } from './codec.ts';
import { type Justification, type Prepared, roundChangePayload, type Tags } from './statement.ts';

/** One protocol, whoever leads: a chain has one engine, and the chain id stands in every signed byte string. */
export const TAGS: Tags = {
  proposal: 'quorate/pbft/proposal/1',
  prepare: 'quorate/pbft/prepare/1',
  commit: 'quorate/pbft/commit/1',
  'round-change': 'quorate/pbft/round-change/1',
};

/** The leader's order: decide this block. Its header and body travel apart. */
export interface Proposal {
  readonly type: 'proposal';
  readonly height: Height;
  readonly view: number;
  readonly block: BlockId;
  /** null in view 0 and there alone. */
  readonly justification: Justification | null;
}

/** The sender holds the block, found it valid, and has accepted no other in this view. */
export interface Prepare extends Prepared {
  readonly type: 'prepare';
  readonly height: Height;
}

/** The sender holds a quorum's prepares, durably. A quorum of these makes the block final. */
export interface Commit extends Prepared {
  readonly type: 'commit';
  readonly height: Height;
}

/** The sender votes in no earlier view any more. The prepares are an attachment: not signed again, but checked. */
export interface RoundChangeMessage {
  readonly type: 'round-change';
  readonly height: Height;
  readonly view: number;
  readonly prepared: VoteCertificate | null;
}

/** The commits that made a block final, for someone who still works on its height. */
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
  /** Whether the sender has a vote record. */
  readonly recorded: boolean;
}

export type Message = Proposal | Prepare | Commit | RoundChangeMessage | Decision | StatusRequest | StatusMessage;

/** The messages that are statements about one (height, view), of which an honest validator signs one per phase. */
export type Ballot = Proposal | Prepare | Commit | RoundChangeMessage;

const statusRequestBody = struct({ height, nonce });
const statusBody = struct({ height, nonce, recorded });

export function signed(chainId: ChainId, message: Message): Bytes {
  switch (message.type) {
    case 'proposal':
    case 'prepare':
    case 'commit':
      return votePayload(TAGS[message.type], chainId, message.height, message.view, message.block);
    case 'round-change': {
      const { height, view, prepared } = message;
      const body = prepared && { view: prepared.view, block: prepared.block };
      return roundChangePayload(TAGS, chainId, height, view, body);
    }
    case 'decision':
      return votePayload('quorate/pbft/decision/1', chainId, message.height, message.view, message.block);
    case 'status-request':
      return concatBytes(tagged('quorate/pbft/status-request/1', chainId), encode(statusRequestBody, message));
    case 'status':
      return concatBytes(tagged('quorate/pbft/status/1', chainId), encode(statusBody, message));
  }
}

/** The signatures that a message carries for others, each with what it signs: a function of the message alone. */
export function claimsOf(chainId: ChainId, message: Message): Claim[] {
  switch (message.type) {
    case 'proposal': {
      if (message.justification === null) return [];
      const { height, view, justification } = message;
      const claims = justification.roundChanges.map(({ signer, signature, prepared }) => ({
        signer,
        signature,
        signed: roundChangePayload(TAGS, chainId, height, view, prepared),
      }));
      // Prepares of another view than the highest that is named would prove nothing.
      const highest = Math.max(...justification.roundChanges.map(each => each.prepared?.view ?? 0), 0);
      const vote = { view: highest, block: message.block };
      return [...claims, ...voteClaims(TAGS.prepare, chainId, height, vote, justification.prepares)];
    }
    case 'round-change': {
      const { height, prepared } = message;
      return prepared === null ? [] : voteClaims(TAGS.prepare, chainId, height, prepared, prepared.signatures);
    }
    case 'decision':
      return voteClaims(TAGS.commit, chainId, message.height, message, message.signatures);
    default:
      return [];
  }
}
