/** The learner: what a majority accepted in one round is decided, and goes to the ledger with its certificate. */

import { assert } from '../../ledger/types/assert.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { type Certificate, CRASH_ACK } from '../../ledger/types/certificate.ts';
import type { NodeId } from '../../ledger/types/ids.ts';
import { indexed, signersPower, type VoteCertificate } from '../certificate.ts';
import { noteFinal } from '../follow.ts';
import { send, setTimer } from '../machine.ts';
import { noveltyOf, quorumOf, withStatement } from '../votes.ts';
import { answerLate } from './follow.ts';
import { type AcceptedMessage, type Decision, signed } from './messages.ts';
import { dropJob, fetch, fits, isValidator, REPORTS_MAX, type State, validate } from './state.ts';

/** Phase 2b, received. */
export function onAccepted(state: State, from: NodeId, message: AcceptedMessage, signature: Bytes): void {
  const { instance } = state;
  const { height, round, block } = message;
  if (height < instance.height || (height === instance.height && instance.decision !== null)) {
    answerLate(state, from, height, false);
    return;
  }
  if (!isValidator(state, from)) return;
  noteFinal(state, from, height - 1);
  if (height > instance.height) return;
  const vote = { view: round, block, signed: signed(state.chainId, message), signature };
  const novelty = noveltyOf(instance.accepts, from, vote);
  if (novelty === 'new') instance.accepts = withStatement(instance.accepts, from, vote);
  if (novelty !== 'conflict' || instance.reported.has(from) || instance.reported.size >= REPORTS_MAX) return;
  // Nobody lies here; but two processes with one key do this, and their operator must hear of it.
  instance.reported.add(from);
  state.equivocations++;
  const { signed: first, signature: firstSignature } = instance.accepts.get(from)!;
  const evidence = {
    offender: from,
    height,
    view: round,
    phase: 'accepted',
    first: { signed: first, signature: firstSignature },
    second: { signed: vote.signed, signature },
  };
  state.effects.push({ type: 'report', evidence });
}

/** Whom acceptors answer tells all others; who counts a majority beside, since one vote may be enough, need not. */
export function decide(state: State): void {
  const { instance, record, self } = state;
  if (instance.decision !== null) return;
  const found = quorumOf(state.validators, state.quorum, instance.accepts);
  if (found === null) return;
  const { view, block, signers: signatures } = found;
  close(state, { view, block, signatures });
  const isProposer = instance.proposal?.proposer === self || record.accepted?.proposer === self;
  if (self !== null && isProposer)
    send(state, 'all', { type: 'decision', height: instance.height, view, block, signatures });
}

/** Takes the acceptances of others for the current height, or learns from them that it is behind. */
export function onDecision(state: State, from: NodeId, { height, view, block, signatures }: Decision): void {
  const { instance } = state;
  if (height < instance.height || from === state.self) return;
  if (signersPower(state.validators, signatures) < state.quorum) return;
  noteFinal(state, from, height);
  // Whoever accepted it had the height below final.
  for (const { signer } of signatures) {
    noteFinal(state, signer, height - 1);
    if (isValidator(state, signer)) state.heardAt.set(signer, state.head.header.height);
  }
  if (height > instance.height) state.effects.push({ type: 'sync', height, from: [from] });
  else if (instance.decision === null) close(state, { view, block, signatures });
}

/** Notes the decision: from here on this height only answers. */
export function close(state: State, decision: VoteCertificate): void {
  state.instance.decision = decision;
  state.adoptedAt = state.now;
  dropJob(state);
  for (const timer of ['drift', 'propose', 'resend']) setTimer(state, timer, null);
}

/** Hands a decided block to the ledger, once it is here and was executed. */
export function adopt(state: State): void {
  const { instance } = state;
  const { decision, height } = instance;
  if (decision === null || instance.adopted) return;
  const { block } = decision;
  const header = state.headers.get(block);
  if (header === undefined) {
    fetch(
      state,
      block,
      decision.signatures.map(each => each.signer),
    );
    return;
  }
  assert(fits(state, header), `a majority decided a block that does not extend this ledger at height ${height}`);
  validate(state, block);
  const verdict = instance.verdicts.get(block);
  assert(verdict !== 'invalid', `a majority decided a block that is invalid here at height ${height}`);
  if (verdict !== 'valid') return;
  instance.adopted = true;
  setTimer(state, 'resend', null);
  state.effects.push({ type: 'adopt', head: block, final: height, certificate: certificateOf(state, decision) });
}

function certificateOf({ validators, instance }: State, { block, view, signatures }: VoteCertificate): Certificate {
  const { height } = instance;
  return { height, block, view, phase: CRASH_ACK.phase, signatures: indexed(validators, signatures) };
}
