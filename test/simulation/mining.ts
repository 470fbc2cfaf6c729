/** Proof of work in virtual time: how long a search takes is drawn from the seed, and the nonce is found for real at its end. */

import type { Target } from '../../consensus/core.ts';
import { below } from '../../consensus/rng.ts';
import { blockId } from '../../ledger/crypto/ids.ts';
import type { HostEffect } from '../../node/driver.ts';
import { clockOf, later, post, type Replica } from './replica.ts';
import { holds } from './violation.ts';
import type { World } from './world.ts';

/** Hashes in a virtual second of one miner: so many that a network of a few finds the easiest blocks in about an interval. */
const HASHES_PER_SECOND = 1000;
/** A search ends one time in this many within a slice of the expected time. */
const SLICES = 16;
const HASHES_MAX = 1 << 24;
const NONCE_BYTES = 4;

type Search = Extract<HostEffect<unknown>, { type: 'build' }> & { readonly work: Target };

export function mine(world: World, replica: Replica, search: Search): void {
  const { mining } = replica.life!;
  mining.add(search.job);
  const expected = Number((1n << 256n) / (search.work.target + 1n));
  const sliceMs = Math.max(1, Math.round((expected / HASHES_PER_SECOND / SLICES) * 1000));
  const slice = (): void => {
    if (!mining.has(search.job)) return;
    if (below(world.workRng, SLICES) === 0) found(world, replica, search);
    else later(world, replica, sliceMs, slice);
  };
  later(world, replica, sliceMs, slice);
}

function found(world: World, replica: Replica, { job, parent, seal, work }: Search): void {
  const { mining, chain, pool, held } = replica.life!;
  mining.delete(job);
  const below = chain.stateOf(parent);
  const time = Math.max(clockOf(world, replica), (below?.header.time ?? 0) + 1);
  const made = below && chain.build(pool, { parent, time, proposer: replica.key!, seal });
  if (!made) {
    post(replica, { type: 'built', job, block: null });
    return;
  }
  const { transactions, header } = made.block;
  const nonced = new Uint8Array(seal);
  const nonce = new DataView(nonced.buffer, nonced.length - NONCE_BYTES);
  for (let tried = 0; tried < HASHES_MAX; tried++) {
    nonce.setUint32(0, tried);
    const id = blockId({ ...header, seal: nonced });
    if (BigInt(`0x${id}`) > work.target) continue;
    const block = { id, header: { ...header, seal: nonced }, transactions };
    held.keep(block);
    holds(chain.validate(block).ok, () => 'a block that was mined does not execute');
    post(replica, { type: 'built', job, block: { id, header: block.header } });
    return;
  }
  holds(false, () => 'a target that nothing meets');
}
