/** PBFT's part of an exploration: what a validator may say but once, and what the words of all must never show. */

import type { Message } from '../../consensus/bft/messages.ts';
import { pbft } from '../../consensus/pbft/core.ts';
import { toHex } from '../../ledger/types/bytes.ts';
import type { BlockId, NodeId } from '../../ledger/types/ids.ts';
import { keyOf } from '../simulation/keys.ts';
import type { Plan } from './explorer.ts';
import type { Packet, Scene } from './host.ts';

export const FOUR = [1, 2, 3, 4].map(i => ({ key: keyOf(i), power: 1 }));

export const PBFT: Plan<Message> = {
  module: pbft,
  validators: FOUR,
  twins: [],
  alike: [],
  down: [],
  heightMax: 1,
  bounds: { viewMax: 0, timers: ['view'], timeoutsMax: null },
  params: {},
  crashesMax: 0,
  // Status and decision bring those forward who are behind; here nobody needs to be.
  matters: ({ type }) => type !== 'status' && type !== 'status-request' && type !== 'decision',
  statementOf: ({ message, signed }) =>
    'view' in message && message.type !== 'decision'
      ? { slot: `${message.type} ${message.height} ${message.view}`, said: toHex(signed) }
      : null,
  invariant: onePrepared,
  reduce: true,
  statesMax: 1_000_000,
};

/**
 * PBFT 4.6: no two blocks are prepared in one view, and once a block may have been decided in a view, nothing else is
 * prepared in a later one.
 */
export function onePrepared(said: readonly Packet<Message>[], { validators }: Scene<Message>): string | null {
  const prepared = quorums(said, 'prepare', validators.length);
  const committed = quorums(said, 'commit', validators.length);
  for (const one of prepared) {
    for (const other of prepared) {
      if (one.slot === other.slot && one.block !== other.block) return `two blocks prepared in ${one.slot}`;
    }
    for (const decided of committed) {
      const later = one.height === decided.height && one.view >= decided.view;
      if (later && one.block !== decided.block)
        return `${one.slot} prepared another block than ${decided.slot} decided`;
    }
  }
  return null;
}

interface Quorum {
  readonly slot: string;
  readonly height: number;
  readonly view: number;
  readonly block: BlockId;
  readonly signers: Set<NodeId>;
}

/** Blocks with more than two thirds of equal votes. */
function quorums(said: readonly Packet<Message>[], phase: 'prepare' | 'commit', validators: number): Quorum[] {
  const found = new Map<string, Quorum>();
  for (const { from, message } of said) {
    if (message.type !== phase) continue;
    const { height, view, block } = message;
    const name = `${height}/${view}/${block}`;
    const quorum = found.get(name) ?? { slot: `${height}/${view}`, height, view, block, signers: new Set() };
    quorum.signers.add(from);
    found.set(name, quorum);
  }
  return [...found.values()].filter(each => 3 * each.signers.size > 2 * validators);
}
