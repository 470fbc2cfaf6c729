/**
 * What happens when blocks become final, whoever brought the certificate: the ledger moves, the store and the pool follow,
 * those who wait are told, and last the engine learns that its height is closed.
 */
import { placeAbove } from '../ledger/admission.ts';
import type { Chain } from '../ledger/chain.ts';
import type { Mempool } from '../ledger/mempool.ts';
import { takeBack } from '../ledger/take-back.ts';
import type { Certificate } from '../ledger/types/certificate.ts';
import type { BlockId, Height, Millis } from '../ledger/types/ids.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { StateCache } from './state-cache.ts';
import type { FinalBlock, Store } from './storage/store.ts';

export interface FinalityPorts {
  readonly chain: Chain;
  readonly store: Pick<Store, 'commit'>;
  readonly cache: Pick<StateCache, 'moved'>;
  readonly pool: Mempool;
  readonly waiting: Acknowledgements;
  now(): Millis;
  /** The engine is to learn of the new head. */
  applied(): void;
  /** A block is final, for logs, metrics and connections. */
  finalised(block: FinalBlock): void;
  fatal(error: unknown): void;
}

export interface Finality {
  /**
   * Moves the ledger to `head`, and makes its branch final as far as `final`. Nothing happens when it is so already. Resolves once store and memory
   * have room for more: that, and no sooner, is when the engine is told, so that a slow disk slows the network down.
   */
  adopt(head: BlockId, final: Height, certificate: Certificate | null): Promise<void>;
}

export function createFinality({ chain, store, cache, pool, waiting, now, ...ports }: FinalityPorts): Finality {
  function settle(final: FinalBlock): void {
    const { header, transactions } = final.block;
    const place = placeAbove(chain.final, header.time + 1);
    pool.settle(
      now(),
      place,
      transactions.map(each => each.id),
    );
    waiting.settle(header.height, final.receipts);
    ports.finalised(final);
  }

  return {
    async adopt(head, final, certificate) {
      const isKnown = final === chain.final.header.height && head === chain.head.id;
      if (isKnown || final < chain.final.header.height) return;
      const room: Promise<void>[] = [];
      const before = chain.included();
      const finals = chain.adopt(head, final);
      for (const block of finals) {
        const certified = certificate?.block === block.block.id ? certificate : null;
        const committed = { ...block, certificate: certified };
        room.push(store.commit(committed));
        settle(committed);
      }
      const changes = finals.map(each => each.changes);
      room.push(cache.moved(chain.final.tree, changes));
      takeBack(chain, pool, now(), before);
      try {
        await Promise.all(room);
        ports.applied();
      } catch (error) {
        ports.fatal(error);
      }
    },
  };
}
