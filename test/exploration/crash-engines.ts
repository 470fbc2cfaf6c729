/** The crash-fault engines' part of an exploration: nobody lies here, so that the checks of words and of agreement say it all. */

import { paxos } from '../../consensus/paxos/core.ts';
import type { Message as PaxosMessage } from '../../consensus/paxos/messages.ts';
import { raft } from '../../consensus/raft/core.ts';
import type { Message as RaftMessage } from '../../consensus/raft/messages.ts';
import { keyOf } from '../simulation/keys.ts';
import type { Plan } from './explorer.ts';

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
  slotOf: message =>
    message.type === 'accept' || message.type === 'accepted'
      ? `${message.type} ${message.height} ${message.round}`
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
  slotOf: message => (message.type === 'ack' ? `ack ${message.height} ${message.term}` : null),
};
