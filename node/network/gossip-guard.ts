/**
 * What one peer may make this node do through gossip. Ids are hashes of content, so a message that a peer is not allowed
 * to deliver now would also be ignored when an honest peer brings it: a peer above its rate is therefore cut, not muted.
 */
import { sha256Hex } from '#crypto';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { Hash, Millis } from '../../ledger/types/ids.ts';
import {
  GOSSIP_BURST_MAX,
  GOSSIP_MESSAGES_PER_SECOND_MAX,
  GOSSIP_REJECTED_MAX,
  GOSSIP_RELAYED_MAX,
  GOSSIP_RELAYED_PER_PEER_MAX,
  GOSSIP_VALIDATING_BYTES_MAX,
  GOSSIP_VALIDATING_MESSAGES_MAX,
  GOSSIP_VOTE_REPEAT_MS,
  GOSSIP_VOTES_REMEMBERED_MAX,
} from '../limits.ts';
import type { Verdict } from './transport.ts';

/** Takes one from an allowance that refills with time; false: nothing is left. */
export type Allowance = () => boolean;

export function createAllowance(now: () => Millis, perSecond: number, burst: number): Allowance {
  let left = burst;
  let at = now();
  return () => {
    left = Math.min(burst, left + ((now() - at) / 1000) * perSecond);
    at = now();
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}

export type GossipOffence = 'GOSSIP_FLOOD' | 'GOSSIP_INVALID';

export interface GossipGuard {
  /** Runs `validate` within the peer's allowance. */
  judge(bytes: Bytes, validate: () => Promise<Verdict>): Promise<Verdict>;
}

/** What may be passed on for all peers together. */
export const createRelayAllowance = (now: () => Millis): Allowance =>
  createAllowance(now, GOSSIP_RELAYED_MAX, 2 * GOSSIP_RELAYED_MAX);

/** The guard of one peer; `offence` is called when it is to be cut, `relay` before anything is passed on. */
export function createGossipGuard(
  now: () => Millis,
  offence: (code: GossipOffence) => void,
  relay: Allowance = createRelayAllowance(now),
): GossipGuard {
  const messages = createAllowance(now, GOSSIP_MESSAGES_PER_SECOND_MAX, GOSSIP_BURST_MAX);
  const rejections = createAllowance(now, 1, GOSSIP_REJECTED_MAX);
  const relays = createAllowance(now, GOSSIP_RELAYED_PER_PEER_MAX, 2 * GOSSIP_RELAYED_PER_PEER_MAX);
  let validating = 0;
  let validatingBytes = 0;

  return {
    async judge(bytes, validate) {
      if (!messages()) {
        offence('GOSSIP_FLOOD');
        return 'ignore';
      }
      if (validating >= GOSSIP_VALIDATING_MESSAGES_MAX) return 'ignore';
      if (validatingBytes + bytes.length > GOSSIP_VALIDATING_BYTES_MAX) return 'ignore';
      validating += 1;
      validatingBytes += bytes.length;
      try {
        const verdict = await validate();
        if (verdict === 'reject' && !rejections()) offence('GOSSIP_INVALID');
        // It has been heard here; whoever else is to hear it, hears it from its sender or when it is said again.
        return verdict === 'accept' && !(relays() && relay()) ? 'ignore' : verdict;
      } finally {
        validating -= 1;
        validatingBytes -= bytes.length;
      }
    },
  };
}

/** Tells whether the same vote came through gossip a moment ago, in whatever wrapping. */
export function createVoteMemory(now: () => Millis): { repeated(vote: Bytes): boolean } {
  const seen = new Map<Hash, Millis>();
  return {
    repeated(vote) {
      const id = sha256Hex(vote);
      const last = seen.get(id);
      if (last !== undefined && now() - last < GOSSIP_VOTE_REPEAT_MS) return true;
      seen.delete(id);
      seen.set(id, now());
      // In order of time: the oldest go first, expired or not.
      for (const [each, at] of seen) {
        if (seen.size <= GOSSIP_VOTES_REMEMBERED_MAX && now() - at < GOSSIP_VOTE_REPEAT_MS) break;
        seen.delete(each);
      }
      return false;
    },
  };
}
