/** What becomes final: counted by the leader (section 5.4.2), told to everyone, handed to the ledger one height at a time. */

import { assert } from '../../ledger/types/assert.ts';
import { type Certificate, CRASH_ACK } from '../../ledger/types/certificate.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { Height, NodeId } from '../../ledger/types/ids.ts';
import { indexed, signersPower, sortSigners, type VoteCertificate } from '../certificate.ts';
import { send } from '../machine.ts';
import { fetch, noteFinal } from './follow.ts';
import type { Decision } from './messages.ts';
import { verdictOf } from './replication.ts';
import { EARLY_HEIGHTS_MAX, type State } from './state.ts';
import { termOf } from './term.ts';

/** Leader: a majority of the height's own set has acknowledged the lowest open block in this term. */
export function count(state: State): void {
  const { role, decision, log, head, term, validators, quorum } = state;
  const entry = log[0];
  if (role !== 'leader' || decision !== null || entry === undefined) return;
  const height = head.header.height + 1;
  const acks = [...(state.acks.get(height) ?? [])].map(([signer, signature]) => ({ signer, signature }));
  const signatures = sortSigners(acks.filter(({ signer }) => validators.some(each => each.key === signer)));
  if (signersPower(validators, signatures) < quorum) return;
  decide(state, { view: term, block: entry.id, signatures });
  send(state, 'all', { type: 'decision', term, height, block: entry.id, signatures });
}

function decide(state: State, decision: VoteCertificate): void {
  state.decision = decision;
  state.adopted = false;
  state.adoptedAt = state.now;
}

/** Takes the acknowledgements that someone collected, or learns from them that it is behind. */
export function onDecision(state: State, from: NodeId, message: Decision): void {
  const { height, term, block, signatures } = message;
  const open = state.head.header.height + 1;
  if (height < open) return;
  noteFinal(state, from, height);
  const decision = { view: term, block, signatures };
  if (height > open) {
    if (height <= open + EARLY_HEIGHTS_MAX) state.early.set(height, decision);
  } else if (state.decision === null && signersPower(state.validators, signatures) >= state.quorum) {
    decide(state, decision);
  }
}

/** Takes up what was decided at the height that has just been opened. */
export function replayEarly(state: State): void {
  const open = state.head.header.height + 1;
  const early = state.early.get(open);
  for (const height of state.early.keys()) if (height <= open) state.early.delete(height);
  if (early !== undefined && signersPower(state.validators, early.signatures) >= state.quorum) decide(state, early);
}

/** Hands a decided block to the ledger, once it is here and was executed. */
export function adopt(state: State): void {
  const { decision, head, log } = state;
  if (decision === null || state.adopted) return;
  const height = head.header.height + 1;
  const { block } = decision;
  const entry = log[0]?.id === block ? log[0] : undefined;
  const header = entry?.header ?? state.headers.get(block);
  if (header === undefined) {
    fetch(state, block, holders(state, decision));
    return;
  }
  assert(
    fits(state, header, height),
    `a majority decided a block that does not extend this ledger at height ${height}`,
  );
  const next = entry?.next ?? verdictOf(state, block);
  assert(
    state.verdicts.get(block) !== 'invalid',
    `a majority decided a block that is invalid here at height ${height}`,
  );
  if (next === null) return;
  state.adopted = true;
  state.effects.push({
    type: 'adopt',
    head: block,
    final: height,
    certificate: certificateOf(state, height, decision),
  });
}

const fits = ({ head }: State, header: Header, height: Height): boolean =>
  header.height === height && header.parent === head.id && termOf(header) !== null;

function holders({ leader, self }: State, { signatures }: VoteCertificate): readonly NodeId[] {
  const keys = new Set(signatures.map(each => each.signer));
  if (leader !== null) keys.add(leader);
  if (self !== null) keys.delete(self);
  return [...keys];
}

function certificateOf(
  { validators }: State,
  height: Height,
  { block, view, signatures }: VoteCertificate,
): Certificate {
  return { height, block, view, phase: CRASH_ACK.phase, signatures: indexed(validators, signatures) };
}
