/**
 * A toy proof of work: Nakamoto, "Bitcoin: A Peer-to-Peer Electronic Cash System", 2008, sections 4, 5 and 11. Among a few known
 * validators it protects no value: whoever computes more than the others together rewrites the last blocks at will, and whoever
 * cuts the network in two for longer than the finality depth splits it for good. It is here to be compared with. README.md tells more.
 *
 * Roles      every validator looks for blocks on the head of its best branch; observers follow.
 * Messages   tip: the sender's head. Blocks are published and fetched, and are their own proof.
 * Choice     the branch of most work; of equal ones that of the lower id. Not the longest one.
 * Persisted  before a head is adopted: its blocks, and which block it makes final.
 * Final      with so many blocks above it as genesis says, six unless it does. No branch that leaves a final block is looked at, whatever its work.
 * Deviates   the proposer must be a validator; no header chain is sent ahead of the bodies, as a core cannot hash; at least half
 *            an interval lies between two blocks; equal branches are told apart by id, not by who came first.
 *
 * Safety. None that is absolute. Two honest nodes make different blocks final at one height only if, for the time of so
 * many blocks, each of two branches grows without the miners of one hearing of the other, or if more than half of the work is done in secret:
 * every node that hears of more work follows it, and blocks are at least half an interval apart.
 */

import type { ChainId, Millis, NodeId } from '../../ledger/types/ids.ts';
import { workAt } from '../../ledger/types/work/seal.ts';
import type { ConsensusCore, CoreModule, Resume, Status } from '../core.ts';
import { forkTree } from '../fork-tree.ts';
import { coreOf, type EventOf, noteWork, silence } from '../machine.ts';
import { awaitTimes, execute, follow, moveTo, onVerdict, place, placeStrays, refuse } from './branches.ts';
import { announce, chase, isBehind, onTip, retry } from './claims.ts';
import { digestOf } from './digest.ts';
import { message as codec, MESSAGE_BYTES_MAX, type Message, signed } from './messages.ts';
import { isUnsettled, mine, onBuilt } from './mining.ts';
import { OWN_PARAMS, type PowParams, powParams } from './params.ts';
import { configAt, finalIn, isValidator, SILENT_HEARTBEATS, type State } from './state.ts';

export const pow: CoreModule<Message> = {
  spec: {
    ...{ name: 'pow', certificate: null, messageBytesMax: MESSAGE_BYTES_MAX, ownParams: OWN_PARAMS },
    finalityDepth: own => own.finalityDepth!,
  },
  codec,
  signed,
  create: ({ self, chainId, params, own }) => createCore({ self, chainId, params: powParams(params, own) }),
};

interface Deps {
  readonly self: NodeId | null;
  readonly chainId: ChainId;
  readonly params: PowParams;
}

const createCore = (deps: Deps): ConsensusCore<Message> =>
  coreOf<State, Message>({
    initial: (now, resume) => initial(deps, now, resume),
    begin,
    on: {
      message: onTip,
      work: noteWork,
      block: onBlock,
      built: onBuilt,
      validated: onVerdict,
      applied: onApplied,
    },
    timeouts: { early: placeStrays, retry },
    advance,
    // No message rests on a record here: what has to be durable goes out before the adoption that needs it.
    writes: () => [],
    claims: () => [],
    status,
    digest: digestOf,
  });

function initial({ self, chainId, params }: Deps, now: Millis, resume: Resume): State {
  const { header, records, config } = resume;
  const head = { id: resume.head, header, weight: workAt(header) };
  const stored = finalIn(records);
  return {
    self,
    chainId,
    params,
    startedAt: now,
    ...silence<Message>(now),
    tree: forkTree(head),
    head,
    configs: new Map([[head.id, config]]),
    asked: new Set(),
    refused: new Set(),
    strays: new Map(),
    kept: new Set(),
    checkpoint: stored !== null && stored.height > header.height ? stored : null,
    claims: new Map(),
    doubted: new Map(),
    wanted: new Set(),
    work: null,
    job: null,
    jobs: 0,
    buildAt: now,
    announced: { block: null, at: now },
    answeredAt: new Map(),
    heardAt: new Map(config.validators.map(each => [each.key, now])),
    reorganisations: 0,
  };
}

/** Takes up the blocks that were durable above the final one, and tells where it stands: who knows of more work answers. */
function begin(state: State, { blocks }: Resume): void {
  for (const { id, header } of blocks) place(state, id, header);
  for (const { id } of blocks) if (state.tree.blocks.has(id) && id !== state.head.id) state.kept.add(id);
}

/** Says nothing new where the ledger follows this core; it may have been moved from elsewhere. */
function onApplied(state: State, { head: id, header, config }: EventOf<Message, 'applied'>): void {
  const { tree } = state;
  if (tree.blocks.has(id) || header.height <= tree.root.header.height) return;
  moveTo(state, { id, header, weight: workAt(header) }, config);
}

function onBlock(state: State, { id, header }: EventOf<Message, 'block'>): void {
  const { tree, asked, wanted } = state;
  // A body that had gone before it could be executed.
  if (asked.has(id)) state.effects.push({ type: 'validate', block: id });
  // Whatever led here from above was no block of this chain.
  if (wanted.delete(id) && header.height <= tree.root.header.height && id !== tree.root.id) refuse(state, id);
  place(state, id, header);
}

function advance(state: State): void {
  follow(state);
  execute(state);
  awaitTimes(state);
  chase(state);
  mine(state);
  announce(state);
}

function status(state: State): Status {
  const { head, params, heardAt } = state;
  const silentSince = state.now - SILENT_HEARTBEATS * params.heartbeatMs;
  return {
    height: head.header.height + 1,
    view: 0,
    phase: phaseOf(state),
    leader: null,
    missing: configAt(state)
      .validators.map(each => each.key)
      .filter(key => key !== state.self && (heardAt.get(key) ?? 0) < silentSince),
    voting: isValidator(state, state.self),
    viewChanges: state.reorganisations,
    equivocations: 0,
    held: state.tree.blocks.size + state.strays.size + state.refused.size + state.claims.size + state.timers.size,
  };
}

function phaseOf(state: State): string {
  if (isBehind(state)) return 'catching-up';
  if (state.job !== null) return 'mining';
  return isUnsettled(state) ? 'settling' : 'waiting';
}
