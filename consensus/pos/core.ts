/**
 * Proof of stake: the three-phase agreement of `../bft/core.ts` (there: messages, what is persisted before which send, the
 * safety argument), with leaders in proportion to their power. The power is what is bonded in the ledger's staking module;
 * it votes, it leads, and it burns when its key signs two things at once. Compare J. Kwon, _Tendermint: Consensus without
 * Mining_, 2014; E. Buchman, J. Kwon, Z. Milosevic, _The latest gossip on BFT consensus_, arXiv 1807.04938.
 *
 * Roles      every validator is a replica; {@link leaderOf} draws the leader of each (height, view) by power.
 * Quorum     floor(2P/3) + 1 of the bonded power P. The set of a height is named by the header below it.
 * Deviates   from Tendermint in the phases, which are PBFT's, and in the draw: theirs is a weighted round robin whose
 *            priorities are part of the state; this one is a function of (height, view) and the set, without memory.
 *
 * Safety is PBFT's: nothing in the argument asks who leads. README.md says what the draw gives, and what grinding cannot.
 */
import { bft } from '../bft/core.ts';
import { leaderOf } from './leader.ts';

export const pos = bft('pos', (validators, parent, view) => leaderOf(validators, parent.height + 1, view));
