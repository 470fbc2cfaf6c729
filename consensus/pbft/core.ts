/**
 * Practical Byzantine Fault Tolerance: Castro and Liskov, OSDI '99 and TOCS 20(4), 2002, with the view change in QBFT's
 * form. The protocol, what is persisted before which send, and the safety argument stand in `../bft/core.ts`.
 *
 * Roles      every validator is a replica. The leader of a view is the next in set order ({@link leaderOf}), so that each
 *            proposes as often as any other whatever its power, and any n views in a row have n leaders.
 * Deviates   from the paper's primary, view mod n, in that the turn goes on from the parent's proposer: who proposed last
 *            is last in line.
 */
import { bft } from '../bft/core.ts';
import { leaderOf } from './leader.ts';

export const pbft = bft('pbft', (validators, parent, view) => leaderOf(validators, parent.proposer, view));
