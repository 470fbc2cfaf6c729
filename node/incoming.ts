/**
 * What other nodes send, on its way to the engine: votes and proposed bodies. Everything is decoded, sized and has its
 * signatures verified before the engine hears of it.
 */
import type { Event } from '../consensus/core.ts';
import type { Chain } from '../ledger/chain.ts';
import type { IdentifiedBlock } from '../ledger/types/block.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import { decode } from '../ledger/types/codec.ts';
import { compactBlock } from '../ledger/types/compact-block.ts';
import type { Height, PublicKey, TransactionId } from '../ledger/types/ids.ts';
import type { CompactBlocks } from './compact-blocks.ts';
import type { Envelopes } from './envelope.ts';
import type { HeldBlocks } from './held-blocks.ts';
import { OFFERED_HEIGHTS_MAX } from './limits.ts';
import type { Peer } from './network/network.ts';
import type { Verdict } from './network/transport.ts';
import type { Verifier } from './network/verifier.ts';

export interface IncomingPorts<M> {
  readonly envelopes: Envelopes<M>;
  readonly verifier: Verifier;
  readonly held: HeldBlocks;
  readonly compacts: CompactBlocks;
  readonly chain: Chain;
  post(event: Event<M>): void;
  /** A peer seems to be at this height. */
  claim(peer: PublicKey, height: Height): void;
}

export interface Incoming {
  /** A consensus message, direct or by gossip. */
  vote(bytes: Bytes): Promise<Verdict>;
  /** A body that somebody publishes. */
  body(bytes: Bytes, from: Peer): Verdict;
  /** The pool may hold these now: bodies may have waited for them. */
  pooled(ids: Iterable<TransactionId>): void;
}

export function createIncoming<M>(ports: IncomingPorts<M>): Incoming {
  const { envelopes, verifier, held, compacts, chain, post } = ports;

  function offer(block: IdentifiedBlock, from: PublicKey): Verdict {
    const outcome = held.offer(block, from);
    if (outcome === 'wanted') post({ type: 'block', id: block.id, header: block.header });
    return outcome === 'displacing' ? 'ignore' : 'accept';
  }

  return {
    async vote(bytes) {
      const opened = envelopes.open(bytes);
      if (opened === 'malformed') return 'reject';
      if (opened === 'useless') return 'ignore';
      const { from, message, signature, claims } = opened;
      const verdicts = await verifier.verify(
        claims.map(({ signer, signed, signature: by }) => ({ key: signer, message: signed, signature: by })),
        'vote',
      );
      if (verdicts === null) return 'ignore';
      if (!verdicts.every(Boolean)) return 'reject';
      post({ type: 'message', from, message, signature });
      return 'accept';
    },
    body(bytes, from) {
      const decoded = decode(compactBlock, bytes);
      if (!decoded.ok) return 'reject';
      const { header, leaves } = decoded.value;
      const final = chain.final.header;
      // Whoever passes on a block has seen what it stands on decided, or will have in a moment; votes may never come this way.
      const head = chain.head.header.height;
      if (header.height > head + 1) ports.claim(from.key, header.height - 1);
      if (header.chainId !== final.chainId) return 'reject';
      // No valid block names more, and each that is kept takes room and time.
      if (leaves.length > chain.rules.limits.blockTransactionsMax) return 'reject';
      if (header.height <= final.height || header.height > head + OFFERED_HEIGHTS_MAX) return 'ignore';
      // Only validators propose; a stranger's block would cost a slot and an execution.
      if (!chain.final.validators.some(each => each.key === header.proposer)) return 'ignore';
      const block = compacts.offer(decoded.value, from.key);
      // Blocks without end are not passed on: nobody proposes so many.
      switch (block) {
        case 'mismatch':
          return 'reject';
        case 'displacing':
          return 'ignore';
        case 'incomplete':
          return 'accept';
        default:
          return offer(block, from.key);
      }
    },
    pooled: ids => compacts.complete(ids, offer),
  };
}
