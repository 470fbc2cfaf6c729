/**
 * What other nodes send, on its way to the engine: votes and proposed bodies. Everything is decoded, sized and has its
 * signatures verified before the engine hears of it.
 */
import type { Event } from '../consensus/core.ts';
import type { Chain } from '../ledger/chain.ts';
import { identifyBlock } from '../ledger/identify-block.ts';
import type { Mempool } from '../ledger/mempool.ts';
import { block as blockCodec } from '../ledger/types/block.ts';
import { type Bytes, equalBytes } from '../ledger/types/bytes.ts';
import { decode } from '../ledger/types/codec.ts';
import type { Height, PublicKey } from '../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../ledger/types/transaction.ts';
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
  readonly chain: Chain;
  readonly pool: Mempool;
  post(event: Event<M>): void;
  /** A peer seems to be at this height. */
  claim(peer: PublicKey, height: Height): void;
}

export interface Incoming {
  /** A consensus message, direct or by gossip. */
  vote(bytes: Bytes): Promise<Verdict>;
  /** A body that somebody publishes. */
  body(bytes: Bytes, from: Peer): Verdict;
}

/** The pool's own object where it holds this very transaction: its payloads are decoded and its memory is taken already. */
function samePooled(pool: Mempool, transaction: IdentifiedTransaction): IdentifiedTransaction {
  const known = pool.get(transaction.id);
  return known && equalBytes(known.leaf, transaction.leaf) ? known : transaction;
}

export function createIncoming<M>(ports: IncomingPorts<M>): Incoming {
  const { envelopes, verifier, held, chain, pool, post } = ports;
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
      const decoded = decode(blockCodec, bytes);
      if (!decoded.ok) return 'reject';
      const { header } = decoded.value;
      const final = chain.final.header;
      // Whoever passes on a block has seen what it stands on decided, or will have in a moment; votes may never come this way.
      if (header.height > final.height + 1) ports.claim(from.key, header.height - 1);
      if (header.chainId !== final.chainId) return 'reject';
      if (header.height <= final.height || header.height > final.height + OFFERED_HEIGHTS_MAX) return 'ignore';
      // Only validators propose; a stranger's block would cost a slot and an execution.
      if (!chain.final.validators.some(each => each.key === header.proposer)) return 'ignore';
      const block = identifyBlock(decoded.value);
      if (!block.ok) return 'reject';
      const { id, transactions } = block.value;
      const pooled = { id, header, transactions: transactions.map(each => samePooled(pool, each)) };
      const outcome = held.offer(pooled, from.key);
      if (outcome === 'wanted') post({ type: 'block', id, header });
      // Bodies without end are not passed on: nobody proposes so many.
      return outcome === 'displacing' ? 'ignore' : 'accept';
    },
  };
}
