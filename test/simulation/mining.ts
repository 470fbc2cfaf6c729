/** Proof of work in virtual time: how long a search takes is drawn from the seed, and the nonce is found for real at its end. */
import { sha256Binary } from '#crypto';
import type { Target } from '../../consensus/core.ts';
import { below, rng } from '../../consensus/rng.ts';
import { buildBlock } from '../../ledger/build.ts';
import { blockId } from '../../ledger/crypto/ids.ts';
import { concatBytes } from '../../ledger/types/bytes.ts';
import { encode } from '../../ledger/types/codec.ts';
import { type Header, header as headerCodec } from '../../ledger/types/header.ts';
import type { Millis } from '../../ledger/types/ids.ts';
import { tagged } from '../../ledger/types/tags.ts';
import type { HostEffect } from '../../node/driver.ts';
import { CHAIN_ID } from './chain.ts';
import { onMined } from './checks.ts';
import { chanceAt } from './choices.ts';
import { clockOf, later, post, type Replica } from './replica.ts';
import { holds } from './violation.ts';
import type { World } from './world.ts';

/**
 * Hashes in a virtual second of the weakest miner, and in how many steps of twice as many others have more, as the seed says. So few that
 * to find a block for real costs no more than to execute it: everything in proof of work goes by ratios. Strong
 * networks find blocks as fast as the engine allows for as long as a fork may last.
 */
const HASHES_PER_SECOND_MIN = 4;
const DOUBLINGS = 6;
const HASHES_MAX = 2 ** 24;
/** The last bytes of a seal, and with it of the encoded header. */
const NONCE_BYTES = 4;

type Search = Extract<HostEffect<unknown>, { type: 'build' }> & { readonly work: Target };

export function mine(world: World, replica: Replica, search: Search): void {
  const { mining } = replica.life!;
  mining.add(search.job);
  const expectedMs = (Number((1n << 256n) / (search.work.target + 1n)) / hashesPerSecond(world, replica)) * 1000;
  // A search has no memory: it takes an exponentially distributed time.
  const portion = (chanceAt(world.choices, 'search', replica.slot, CHANCES) + 1) / CHANCES;
  const begun = clockOf(world, replica);
  later(world, replica, Math.ceil(-Math.log(portion) * expectedMs), () => {
    if (mining.delete(search.job)) find(world, replica, search, begun);
  });
}

const CHANCES = 2 ** 32;

const hashesPerSecond = ({ seed }: World, { slot }: Replica): number =>
  HASHES_PER_SECOND_MIN * 2 ** below(rng(BigInt(seed), MINERS_STREAM + slot), DOUBLINGS);

/** Apart from the streams that others draw from. */
const MINERS_STREAM = 1000;

/** The block is made when its nonce is found: what is called off is never executed. Its time is when the search began. */
function find(world: World, replica: Replica, { job, parent, seal, work }: Search, begun: Millis): void {
  const { chain, pool, held } = replica.life!;
  const below = chain.stateOf(parent);
  if (below === null) {
    post(replica, { type: 'built', job, block: null });
    return;
  }
  const time = Math.max(begun, below.header.time + 1);
  const { header: draft, transactions } = buildBlock(chain.rules, below, pool, {
    ...{ parent, time, proposer: replica.key!, seal },
  }).block;
  const header = { ...draft, seal: nonceFor(draft, work.target) };
  const block = { id: blockId(header), header, transactions };
  onMined(world.checks, parent);
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
