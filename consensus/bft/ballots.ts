/** Taking in statements about (height, view): too old is answered, too new is kept or noted, the rest is counted once. */

import type { Bytes } from '../../ledger/types/bytes.ts';
import type { NodeId } from '../../ledger/types/ids.ts';
import { noteFinal } from '../follow.ts';
import { type Latest, noveltyOf, type Statement, withStatement } from '../votes.ts';
import { evidenceOf } from './evidence.ts';
import { answerLate } from './follow.ts';
import { isRoundChangeJustified, judgeProposal } from './justification.ts';
import { type Ballot, type Commit, type Prepare, type Proposal, type RoundChangeMessage, signed } from './messages.ts';
import { accept, enterView } from './rules.ts';
import { isValidator, leaderAt, REPORTS_MAX, type State } from './state.ts';
import type { Phase } from './statement.ts';

export function onBallot(state: State, from: NodeId, message: Ballot, signature: Bytes): void {
  const { instance } = state;
  if (message.height < instance.height || (message.height === instance.height && instance.decision !== null)) {
    answerLate(state, from, message);
    return;
  }
  if (!isValidator(state, from)) return;
  noteFinal(state, from, message.height - 1);
  if (message.height > instance.height) keepEarly(state, from, message, signature);
  else count(state, from, message, signature);
}

function keepEarly(state: State, from: NodeId, message: Ballot, signature: Bytes): void {
  if (message.height !== state.instance.height + 1) return;
  const kept = state.early.get(from) ?? new Map();
  state.early.set(from, kept.set(message.type, { message, signature }));
}

/** Counts what came too early for the height that has just been opened. */
export function replayEarly(state: State): void {
  const early = [...state.early];
  state.early.clear();
  for (const [from, ballots] of early) {
    for (const { message, signature } of ballots.values()) {
      if (message.height === state.instance.height) onBallot(state, from, message, signature);
    }
  }
}

function count(state: State, from: NodeId, message: Ballot, signature: Bytes): void {
  const statement = { view: message.view, signed: signed(state.chainId, message), signature };
  switch (message.type) {
    case 'proposal':
      countProposal(state, from, message, statement);
      break;
    case 'prepare':
    case 'commit':
      countVote(state, from, message, statement);
      break;
    case 'round-change':
      countRoundChange(state, from, message, statement);
  }
}

/** Whether to count the statement: not older than what its signer said before, and not against it. */
function isFirst<S extends Statement>(
  state: State,
  phase: Phase,
  from: NodeId,
  latest: Latest<S>,
  statement: S,
): boolean {
  const novelty = noveltyOf(latest, from, statement);
  if (novelty === 'conflict') report(state, phase, from, latest.get(from)!, statement);
  return novelty === 'new' || novelty === 'known';
}

function report(state: State, phase: Phase, from: NodeId, first: Statement, second: Statement): void {
  const { reported, height } = state.instance;
  // One proof of each kind is enough; a liar has as many views to contradict itself in as it likes.
  const slot = `${phase} ${from}`;
  if (reported.has(slot) || reported.size >= REPORTS_MAX) return;
  reported.add(slot);
  state.equivocations++;
  state.effects.push({ type: 'report', evidence: evidenceOf(from, height, phase, first, second) });
}

/** PBFT 4.2 pre-prepare, 4.4 new-view. A justified proposal takes everyone into its view. */
function countProposal(state: State, from: NodeId, message: Proposal, statement: Statement): void {
  const { instance, validators, quorum, record } = state;
  const { view, block, justification } = message;
  if (from !== leaderAt(state, view)) return;
  const vote = { ...statement, block };
  if (!isFirst(state, 'proposal', from, instance.proposals, vote)) return;
  instance.proposals = withStatement(instance.proposals, from, vote);
  if (view < record.view || (view === record.view && instance.proposal !== null)) return;
  // The attachments are not signed: who stripped them from a good proposal must not keep the good one out later.
  const kind = judgeProposal(validators, quorum, view, block, justification);
  if (kind === null) return;
  if (view > record.view) enterView(state, view);
  accept(state, block, kind, justification);
}

function countVote(state: State, from: NodeId, message: Prepare | Commit, statement: Statement): void {
  const { instance } = state;
  const book = message.type === 'prepare' ? 'prepares' : 'commits';
  const vote = { ...statement, block: message.block };
  if (isFirst(state, message.type, from, instance[book], vote)) {
    instance[book] = withStatement(instance[book], from, vote);
  }
}

function countRoundChange(state: State, from: NodeId, message: RoundChangeMessage, statement: Statement): void {
  const { instance, validators, quorum } = state;
  const { view, prepared } = message;
  if (!isRoundChangeJustified(validators, quorum, view, prepared)) return;
  const change = { ...statement, prepared };
  if (isFirst(state, 'round-change', from, instance.changes, change)) {
    instance.changes = withStatement(instance.changes, from, change);
  }
}
