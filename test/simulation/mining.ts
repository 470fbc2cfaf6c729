/** Proof of work in virtual time: how long a search takes is drawn from the seed, and the nonce is found for real at its end. */
import { sha256Binary } from '#crypto';
import type { Target } from '../../consensus/core.ts';
import { blockId } from '../../ledger/crypto/ids.ts';
import { concatBytes } from '../../ledger/types/bytes.ts';
import { encode } from '../../ledger/types/codec.ts';
import { type Header, header as headerCodec } from '../../ledger/types/header.ts';
import { tagged } from '../../ledger/types/tags.ts';
import type { HostEffect } from '../../node/driver.ts';
import { CHAIN_ID } from './chain.ts';
import { chanceAt } from './choices.ts';
import { clockOf, later, post, type Replica } from './replica.ts';
import { holds } from './violation.ts';
import type { World } from './world.ts';

/** Hashes in a virtual second of one miner: so many that a few of them find a first block in about a second. */
const HASHES_PER_SECOND = 20_000;
/** A search ends with this chance, one in so many, in each slice of its expected time: it has no memory, as a real one. */
const SLICES = 64;
const HASHES_MAX = 2 ** 24;
/** The last bytes of a seal, and with it of the encoded header. */
const NONCE_BYTES = 4;

type Search = Extract<HostEffect<unknown>, { type: 'build' }> & { readonly work: Target };

export function mine(world: World, replica: Replica, search: Search): void {
  const { mining } = replica.life!;
  mining.add(search.job);
  const expected = Number((1n << 256n) / (search.work.target + 1n));
  const sliceMs = Math.max(1, Math.round((expected / HASHES_PER_SECOND / SLICES) * 1000));
  const slice = (): void => {
    if (!mining.has(search.job)) return;
    if (chanceAt(world.choices, 'search', replica.slot, SLICES) === 0) find(world, replica, search);
    else later(world, replica, sliceMs, slice);
  };
  later(world, replica, sliceMs, slice);
}

function find(world: World, replica: Replica, { job, parent, seal, work }: Search): void {
  const { mining, chain, pool, held } = replica.life!;
  mining.delete(job);
  const time = Math.max(clockOf(world, replica), (chain.stateOf(parent)?.header.time ?? 0) + 1);
  const made = chain.build(pool, { parent, time, proposer: replica.key!, seal });
  if (made === null) {
    post(replica, { type: 'built', job, block: null });
    return;
  }
  const header = { ...made.block.header, seal: nonceFor(made.block.header, work.target) };
  const block = { id: blockId(header), header, transactions: made.block.transactions };
  held.keep(block);
  holds(chain.validate(block).ok, () => 'a block that was mined does not execute');
  post(replica, { type: 'built', job, block: { id: block.id, header } });
}

/** The seal with the first nonce under which the header meets the target. */
function nonceFor(header: Header, target: bigint): Uint8Array {
  const bytes = concatBytes(tagged('quorate/block/1', CHAIN_ID), encode(headerCodec, header));
  const nonce = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - NONCE_BYTES);
  const limit = Number(target >> 232n);
  for (let tried = 0; tried < HASHES_MAX; tried++) {
    nonce.setUint32(0, tried);
    const digest = sha256Binary(bytes);
    const first = ((digest.charCodeAt(0) << 16) | (digest.charCodeAt(1) << 8) | digest.charCodeAt(2)) >>> 0;
    // As good as the target: what shares its first three bytes is passed over.
    if (first < limit) return bytes.slice(bytes.length - header.seal.length);
  }
  holds(false, () => 'a target that nothing meets');
}
