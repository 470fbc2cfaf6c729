/** The crash-fault engines' part of an exploration: nobody lies here, so that the checks of words and of agreement say it all. */

import { paxos } from '../../consensus/paxos/core.ts';
import type { Message as PaxosMessage } from '../../consensus/paxos/messages.ts';
import { raft } from '../../consensus/raft/core.ts';
import type { Message as RaftMessage } from '../../consensus/raft/messages.ts';
import { keyOf } from '../simulation/keys.ts';
import type { Plan } from './explorer.ts';
import type { Packet } from './host.ts';

const THREE = [1, 2, 3].map(i => ({ key: keyOf(i), power: 1 }));

const CRASH = {
  validators: THREE,
  twins: [],
  alike: [],
  down: [],
  heightMax: 1,
  crashesMax: 0,
  invariant: () => null,
  reduce: true,
  statesMax: 1_000_000,
} as const;

export const PAXOS: Plan<PaxosMessage> = {
  ...CRASH,
  module: paxos,
  bounds: { viewMax: 2, timers: ['election'], timeoutsMax: 1 },
  // Every lease may be over: whether it is makes no difference to what is safe.
  params: { viewTimeoutMs: 0 },
  matters: ({ type }) => type !== 'status' && type !== 'status-request' && type !== 'beat' && type !== 'nack',
  statementOf: ({ message }) =>
    message.type === 'accept' || message.type === 'accepted'
      ? { slot: `${message.type} ${message.height} ${message.round}`, said: message.block }
      : null,
};

export const RAFT: Plan<RaftMessage> = {
  ...CRASH,
  module: raft,
  bounds: { viewMax: 1, timers: ['election'], timeoutsMax: 1 },
  params: {},
  // A refusal or a sign of life promises nothing; terms are learnt from requests as well.
  matters: message =>
    message.type === 'vote' ? message.granted : !['status', 'status-request', 'append-reply'].includes(message.type),
  statementOf: raftStatement,
};

/** One vote in a term, and one log: whoever is elected in a term, or acknowledged in it, is so alone. */
function raftStatement({ message, to }: Packet<RaftMessage>): { readonly slot: string; readonly said: string } | null {
  if (message.type === 'ack') return { slot: `ack ${message.height} ${message.term}`, said: message.block };
  if (message.type !== 'vote' || message.pre || !message.granted) return null;
  return { slot: `vote ${message.term}`, said: String(to) };
}
