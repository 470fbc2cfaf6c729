/** What Raft and Paxos must not get wrong. */
import { type Mutant, SPEAKS_FIRST, unit } from './mutant.ts';

const RAFT = 'consensus/raft';
const PAXOS = 'consensus/paxos';

export const RAFT_MUTANTS: readonly Mutant[] = [
  {
    engine: 'raft',
    name: 'gives a second vote in one term',
    file: `${RAFT}/election.ts`,
    find: 'const free = state.vote === null || state.vote === from;',
    replace: 'const free = true;',
    killedBy: unit('raft-election', 'is given once in a term, and again to the same candidate'),
  },
  {
    engine: 'raft',
    name: 'forgets across a restart whom it voted for',
    file: `${RAFT}/core.ts`,
    find: 'writeOf({ term, vote, base:',
    replace: 'writeOf({ term, vote: vote && null, base:',
    killedBy: unit('raft-election', 'is given once in a term across a restart'),
  },
  {
    engine: 'raft',
    ...SPEAKS_FIRST,
    killedBy: unit('raft-election', 'is durable before it is said'),
  },
  {
    engine: 'raft',
    name: 'votes for a log that lacks what may be final',
    file: `${RAFT}/log.ts`,
    find: 'theirs.term > ours.term || (theirs.term === ours.term && theirs.height >= ours.height);',
    replace: 'theirs.term >= ours.term;',
    killedBy: unit('raft-election', 'for a log with the same term, shorter (5.4.1)'),
  },
  {
    engine: 'raft',
    name: 'leads with one vote too few',
    file: `${RAFT}/log.ts`,
    find: 'powerOf(set, counts) >= crashQuorum(totalPower(set))',
    replace: 'powerOf(set, counts) >= crashQuorum(totalPower(set)) - 1',
    killedBy: unit(
      'raft-election',
      'needs a majority, and counts no one twice, nor votes of another term or of the other kind',
    ),
  },
  {
    engine: 'raft',
    name: 'lets one who was cut off end the term of a leader who is well',
    file: `${RAFT}/election.ts`,
    find: 'if (hearsLeader(state) && !request.transfer) return;',
    replace: '',
    killedBy: unit(
      'raft-election',
      'is asked for in vain, and no term is taken up, while a leader is heard: the removed do not disrupt (thesis 4.2.3)',
    ),
  },
  {
    engine: 'raft',
    name: 'acknowledges entries of earlier terms by themselves (figure 8)',
    file: `${RAFT}/replication.ts`,
    find: 'if (!mayVote(state) || leader === null || lastOf(head, log).term !== term) return;',
    replace: 'if (!mayVote(state) || leader === null) return;',
    killedBy: unit('raft-replication', 'is not acknowledged before the log goes on to an entry of the new leader'),
  },
  {
    engine: 'raft',
    name: 'acknowledges a block that a power cut takes away',
    file: `${RAFT}/replication.ts`,
    find: 'headers.delete(id);\n    promise(state, id);',
    replace: 'headers.delete(id);\n    promise(state);',
    killedBy: unit(
      'raft-replication',
      'brings the block here, has it executed, has block and log durable, and only then acknowledges',
    ),
  },
  {
    engine: 'raft',
    name: 'takes a block for final that a minority holds',
    file: `${RAFT}/commit.ts`,
    find: 'if (signersPower(validators, signatures) < quorum) return;',
    replace: 'if (signersPower(validators, signatures) < 1) return;',
    killedBy: unit('raft-replication', 'hands over to the ledger only what was executed here'),
  },
];

export const PAXOS_MUTANTS: readonly Mutant[] = [
  {
    engine: 'paxos',
    name: 'a majority is one short',
    file: 'ledger/types/validator.ts',
    find: 'return (checked(total) - (total % 2)) / 2 + 1;',
    replace: 'return (checked(total) - (total % 2)) / 2;',
    killedBy: {
      file: 'test/exploration/exploration.test.ts',
      test: 'Paxos: all states in which each node loses patience once, up to ballot 2',
    },
  },
  {
    engine: 'paxos',
    name: 'breaks its promise to a higher ballot',
    file: `${PAXOS}/record.ts`,
    find: 'if (promised === null || asked > promised.round) return true;',
    replace: 'if (promised === null || asked > 0) return true;',
    killedBy: unit(
      'paxos-ballot',
      'a promise holds: no lower ballot is promised or accepted any more, also after a restart',
    ),
  },
  {
    engine: 'paxos',
    name: 'takes part in two ballots of one round',
    file: `${PAXOS}/record.ts`,
    find: 'return asked === promised.round && proposer === promised.proposer;',
    replace: 'return asked === promised.round && proposer !== undefined;',
    killedBy: unit(
      'paxos-ballot',
      'a round belongs to the first that asks: neither a promise nor an acceptance for another proposer in it',
    ),
  },
  {
    engine: 'paxos',
    name: 'forgets its promise across a restart',
    file: `${PAXOS}/record.ts`,
    find: 'value: encode(acceptorRecord, record),',
    replace: 'value: encode(acceptorRecord, { ...record, promised: null }),',
    killedBy: unit(
      'paxos-ballot',
      'a promise holds: no lower ballot is promised or accepted any more, also after a restart',
    ),
  },
  {
    engine: 'paxos',
    ...SPEAKS_FIRST,
    killedBy: unit('paxos-ballot', 'a promise is durable before it is said, and names what was accepted'),
  },
  {
    engine: 'paxos',
    name: 'promises without naming what it accepted',
    file: `${PAXOS}/acceptor.ts`,
    find: 'const accepted = acceptedAt(state, height);',
    replace: 'acceptedAt(state, height);\n  const accepted = null;',
    killedBy: {
      file: 'test/exploration/exploration.test.ts',
      test: 'Paxos: all states in which each node loses patience once, up to ballot 2',
    },
  },
  {
    engine: 'paxos',
    name: 'proposes the lowest accepted block again, not the highest',
    file: `${PAXOS}/proposer.ts`,
    find: 'accepted.round > (highest?.round ?? -1)',
    replace: 'accepted.round < (highest?.round ?? 2 ** 48)',
    killedBy: unit('paxos-ballot', 'of two the higher'),
  },
  {
    engine: 'paxos',
    name: 'leads with one promise too few',
    file: `${PAXOS}/proposer.ts`,
    find: 'if (powerOf(state.validators, key => leadership.promises.has(key)) < state.quorum) return;',
    replace: 'if (powerOf(state.validators, key => leadership.promises.has(key)) < state.quorum - 1) return;',
    killedBy: unit(
      'paxos-ballot',
      'a proposer with work and no leader prepares once for all heights, and builds on a majority of promises',
    ),
  },
];
