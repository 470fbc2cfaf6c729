import { describe, expect, it } from 'vitest';
import { merkleRoot } from '../../ledger/crypto/merkle.ts';
import { createMempool } from '../../ledger/mempool.ts';
import { EMPTY } from '../../ledger/types/bytes.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import { compactBlock, compactOf } from '../../ledger/types/compact-block.ts';
import type { BlockId, Height, PublicKey } from '../../ledger/types/ids.ts';
import { compactBlocks } from '../../node/compact-blocks.ts';
import { heldBlocks } from '../../node/held-blocks.ts';
import { createIncoming, type IncomingPorts } from '../../node/incoming.ts';
import { OFFERED_BLOCKS_PER_PEER_MAX } from '../../node/limits.ts';
import type { Peer } from '../../node/network/network.ts';
import { createVerifier } from '../../node/network/verifier.ts';
import { GENESIS_TIME, key, network } from './ledger/network.ts';

/** A node at genesis, and the encoded empty blocks of heights 1 to 3 above it. */
function scene() {
  const net = network();
  const bodies: Uint8Array[] = [];
  const ids: BlockId[] = [];
  const ahead = network().chain;
  for (let height = 1; height <= 3; height++) {
    const request = { parent: ahead.head.id, time: GENESIS_TIME + height, proposer: key(100), seal: EMPTY };
    const { block } = ahead.build({ offer() {} }, request)!;
    ahead.adopt(block.id, height);
    bodies.push(encode(compactBlock, compactOf(block)));
    ids.push(block.id);
  }
  /** So many blocks of height 1. */
  const siblings = (count: number): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => {
      const parent = net.chain.final.id;
      const { block } = net.chain.build(
        { offer() {} },
        { parent, time: GENESIS_TIME + 10 + i, proposer: key(100), seal: EMPTY },
      )!;
      return encode(compactBlock, compactOf(block));
    });
  const claims: [PublicKey, Height][] = [];
  const posted: Height[] = [];
  const held = heldBlocks();
  const pool = createMempool(net.rules);
  const incoming = createIncoming({
    envelopes: { open: () => 'malformed' } as unknown as IncomingPorts<never>['envelopes'],
    ...{ verifier: createVerifier(), held, compacts: compactBlocks(pool, held.wants), chain: net.chain },
    post: event => event.type === 'block' && posted.push(event.header.height),
    claim: (peer, height) => claims.push([peer, height]),
  });
  const peer = { key: key(7) } as Peer;
  return { incoming, limits: net.rules.limits, bodies, ids, siblings, claims, posted, held, peer };
}

describe('a body that a peer passes on', () => {
  it('is held when it is for the next height, and told to the engine when that has asked for it', () => {
    const { incoming, bodies, ids, claims, posted, held, peer } = scene();
    expect(incoming.body(bodies[0]!, peer)).toBe('accept');
    expect({ claims, posted, held: held.size }).toEqual({ claims: [], posted: [], held: 1 });
    expect(held.want(ids[1]!)).toBeNull();
    expect(incoming.body(bodies[1]!, peer)).toBe('accept');
    expect(posted).toEqual([2]);
  });

  it('is not passed on any more when its peer brings one after the other', () => {
    const { incoming, siblings, peer } = scene();
    const verdicts = siblings(OFFERED_BLOCKS_PER_PEER_MAX + 2).map(each => incoming.body(each, peer));
    const accepted = Array.from({ length: OFFERED_BLOCKS_PER_PEER_MAX }, () => 'accept');
    expect(verdicts).toEqual([...accepted, 'ignore', 'ignore']);
  });

  it('shows a node that hears no votes how far the others are', () => {
    const { incoming, bodies, claims, posted, peer } = scene();
    expect(incoming.body(bodies[2]!, peer)).toBe('ignore');
    expect(incoming.body(bodies[1]!, peer)).toBe('accept');
    expect(claims).toEqual([
      [peer.key, 2],
      [peer.key, 1],
    ]);
    expect(posted).toEqual([]);
  });

  it('is refused where it is not what its header says', () => {
    const { incoming, bodies, peer } = scene();
    const cut = bodies[0]!.slice(0, -1);
    expect([incoming.body(cut, peer), incoming.body(EMPTY, peer)]).toEqual(['reject', 'reject']);
  });

  it('is refused where it names more transactions than a block may hold', () => {
    const { incoming, limits, bodies, peer } = scene();
    const decoded = decode(compactBlock, bodies[0]!);
    if (!decoded.ok) throw new Error(decoded.error.reason);
    const { header } = decoded.value;
    const named = (count: number): Uint8Array => {
      const leaves = Array.from({ length: count }, (_, i) => new Uint8Array(64).fill(i & 0xff).fill(i >> 8, 1, 2));
      return encode(compactBlock, { header: { ...header, transactionsRoot: merkleRoot(leaves) }, leaves });
    };
    expect(incoming.body(named(limits.blockTransactionsMax), peer)).toBe('accept');
    expect(incoming.body(named(limits.blockTransactionsMax + 1), peer)).toBe('reject');
  });
});
