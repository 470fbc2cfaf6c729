/** Block sync between simulated nodes: ranges of certified blocks from peers that may lie. */

import { blockId } from '../../ledger/crypto/ids.ts';
import { transactionsRoot } from '../../ledger/identify-block.ts';
import type { Height } from '../../ledger/types/ids.ts';
import { finalise } from './adoption.ts';
import { isCertified, mark } from './checks.ts';
import { measure, strikes } from './choices.ts';
import type { ClaimedBlock } from './packet.ts';
import { later, type Replica } from './replica.ts';
import { holds } from './violation.ts';
import { transmit, type World } from './world.ts';

const RANGE_BLOCKS_MAX = 50;
const RETRY_MS = 500;

/** Pursues a height: asks those who should know, one after the other, then everyone, until it is reached. */
export function pursue(world: World, replica: Replica, height: Height, from: readonly number[]): void {
  const life = replica.life!;
  const hasCertificates = world.profile.module.spec.certificate !== null;
  if (height <= life.chain.final.header.height || !hasCertificates) return;
  life.target = Math.max(life.target, height);
  if (life.pursuing) return;
  life.pursuing = true;
  mark(world.checks, 'block sync');
  const others = world.replicas.map(each => each.slot).filter(each => each !== replica.slot && !from.includes(each));
  ask(world, replica, [...from, ...others], 0);
}

/** So many times without a block is a height that nobody has: a replayed or invented one. */
const ROUNDS_MAX = 3;

function ask(world: World, replica: Replica, peers: readonly number[], turn: number): void {
  const life = replica.life!;
  const above = life.chain.final.header.height;
  if (above >= life.target || turn >= ROUNDS_MAX * peers.length) {
    life.pursuing = false;
    life.target = 0;
    return;
  }
  const peer = world.replicas[peers[turn % peers.length]!]!;
  transmit(world, replica.slot, peer, { type: 'sync', above, slot: replica.slot });
  later(world, replica, RETRY_MS, () => {
    const isMoving = life.chain.final.header.height > above;
    ask(world, replica, peers, isMoving ? turn : turn + 1);
  });
}

export function answerRange(world: World, replica: Replica, above: Height, slot: number): void {
  const blocks: readonly ClaimedBlock[] = replica.disk.blocks.slice(above, above + RANGE_BLOCKS_MAX);
  if (blocks.length === 0) return;
  const lies = replica.byzantine && strikes(world.choices, 'lying peer', world.faults.liePermille, replica.slot);
  const told = lies ? [lie(blocks[0]!, measure(world.choices, LIES)), ...blocks.slice(1)] : blocks;
  transmit(world, replica.slot, world.replicas[slot]!, { type: 'blocks', blocks: told });
}

const LIES = 4;

/** A true block told wrongly. */
function lie({ block, certificate }: ClaimedBlock, kind: number): ClaimedBlock {
  const { header, transactions } = block;
  if (kind === 0) return { block, certificate: null };
  if (kind === 1) {
    const signatures = certificate?.signatures.slice(1) ?? [];
    return { block, certificate: certificate && { ...certificate, signatures: signatures.slice(0, 1) } };
  }
  if (kind === 2) return { block: { ...block, transactions: [...transactions, ...transactions] }, certificate };
  const other = { ...header, time: header.time + 1 };
  const id = blockId(other);
  return { block: { id, header: other, transactions }, certificate: certificate && { ...certificate, block: id } };
}

export function takeRange(world: World, replica: Replica, blocks: readonly ClaimedBlock[]): void {
  for (const each of blocks) {
    const { life } = replica;
    if (life === null) return;
    const { final } = life.chain;
    if (each.block.header.height <= final.header.height) continue;
    if (each.block.header.parent !== final.id) return;
    if (!isTrue(world, replica, each)) {
      mark(world.checks, 'lie refused');
      return;
    }
    const verdict = life.chain.validate(each.block);
    holds(verdict.ok, () => `a quorum certified ${each.block.id}, which does not execute here`);
    finalise(world, replica, each.block.id, each.block.header.height, each.certificate);
  }
}

/** Whether the block is what its id says, and certified by those who decide its height. */
function isTrue(world: World, { life }: Replica, { block, certificate }: ClaimedBlock): boolean {
  const rule = world.profile.module.spec.certificate;
  const { header, id, transactions } = block;
  if (blockId(header) !== id || transactionsRoot(transactions) !== header.transactionsRoot) return false;
  if (rule === null || certificate === null) return false;
  return isCertified(rule, life!.chain.final.validators, header.height, id, certificate);
}
