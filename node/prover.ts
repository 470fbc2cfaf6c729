/** Proof bundles from what is stored, and under proof of work from the blocks on it that are not final yet. */
import type { CoreSpec } from '../consensus/core.ts';
import { finalityDepthOf } from '../consensus/own-params.ts';
import type { Chain } from '../ledger/chain.ts';
import { historyLeaf } from '../ledger/crypto/ids.ts';
import { completeNodes, inclusionOf } from '../ledger/crypto/merkle.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { REGISTERS, registerCodec } from '../ledger/modules/validators/register.ts';
import {
  buildStateProof,
  buildTransactionProof,
  type Evidence,
  type FinalityEvidence,
  type WorkEvidence,
} from '../ledger/proof/build.ts';
import { type FinalHeader, type SetChange, WORK_HEADERS_MAX } from '../ledger/proof/bundle.ts';
import { assert } from '../ledger/types/assert.ts';
import type { CertificateRule } from '../ledger/types/certificate.ts';
import { decodeOwn } from '../ledger/types/codec.ts';
import { err, type Fault, ok, type Result } from '../ledger/types/errors.ts';
import type { Header } from '../ledger/types/header.ts';
import type { Height } from '../ledger/types/ids.ts';
import { fault } from './rpc/errors.ts';
import type { Prover } from './rpc/ports.ts';
import type { StateVersions } from './state-versions.ts';
import type { Store } from './storage/store.ts';

export interface ProverPorts {
  readonly genesis: Genesis;
  readonly spec: CoreSpec;
  readonly chain: Pick<Chain, 'final' | 'included'>;
  readonly versions: StateVersions;
  readonly store: Store;
}

/** What is read from the store at a time. */
const PAGE = 1_000;
/** Proofs of work that wait for the one being put together: each comes to many megabytes. */
const WORK_PROOFS_WAITING_MAX = 8;
const WORK_PROOF_RETRY_MS = 1_000;

/** `height` is that of a final block, 1 at least. */
type EvidenceOf = (height: Height) => Promise<Result<Evidence, Fault>>;

export function prover(ports: ProverPorts): Prover {
  const { spec, versions, store } = ports;
  const gather = spec.certificate === null ? worked(ports) : certifiedEvidence(ports, spec.certificate);
  const evidence: EvidenceOf = async height =>
    height > 0
      ? gather(height)
      : err(
          fault('NOT_FOUND', 'block 0 is proved by nothing: everyone computes it from genesis', {
            hint: 'ask for a height from 1 on',
          }),
        );
  return {
    async transaction(id) {
      const place = store.transaction(id);
      if (!place) return err(fault('NOT_FOUND', `transaction ${id} is not recorded`));
      const block = store.block(place.height)!;
      const receipts = store.receipts(place.height)!;
      const why = await evidence(place.height);
      return why.ok ? ok(buildTransactionProof(why.value, block.transactions, receipts, place.index)) : why;
    },
    async state(key, height) {
      const tree = versions.at(height);
      if (!tree) return err(fault('PRUNED', `the state of block ${height} is no longer held`));
      const why = await evidence(height);
      return why.ok ? ok(buildStateProof(why.value, tree, key)) : why;
    },
  };
}

/** Why a block from height 1 on is final. The history tree's nodes are kept from proof to proof: only final blocks go into it. */
export function certifiedEvidence(
  { genesis, store }: Pick<ProverPorts, 'genesis' | 'store'>,
  rule: CertificateRule,
): (height: Height) => Promise<Result<FinalityEvidence, Fault>> {
  const nodes = completeNodes(index => historyLeaf(store.header(index)!.id));

  function finalHeader(height: Height): FinalHeader | null {
    const certificate = store.certificate(height);
    const header = store.header(height)?.header;
    const parent = store.header(height - 1)?.header;
    return certificate && header && parent ? { header, parent, certificate } : null;
  }

  /** The changes of the validator set before a height. */
  async function changesBelow(height: Height): Promise<SetChange[]> {
    const changes: SetChange[] = [];
    for (let after: string | null = null; ; ) {
      const page = await store.listState(REGISTERS, after, PAGE);
      for (const [key, value] of page) {
        after = key;
        const { since, validators } = decodeOwn(registerCodec, value);
        const at = since > 0 && since < height ? finalHeader(since) : null;
        if (at) changes.push({ ...at, validators: validators.map(({ key, power }) => ({ key, power })) });
      }
      if (page.length < PAGE) return changes;
    }
  }

  return async (height): Promise<Result<FinalityEvidence, Fault>> => {
    const target = finalHeader(height);
    const origin = store.header(0)?.header;
    if (!target || !origin) return err(fault('NOT_FOUND', `block ${height} has no certificate to prove anything by`));
    return ok({
      engine: genesis.consensus.engine,
      rule,
      validators: genesis.validators.map(({ key, power }) => ({ key, power })),
      origin,
      ancestry: below => inclusionOf(below, height, nodes).path,
      changes: await changesBelow(height),
      target,
    });
  };
}

/** All headers from the first block to the head that this node follows, as far as a bundle holds them. */
function worked({ genesis, spec, chain, store }: ProverPorts): EvidenceOf {
  const heightMax = WORK_HEADERS_MAX - finalityDepthOf(spec, genesis.consensus.own);
  let waiting = 0;
  let turn: Promise<unknown> = Promise.resolve();

  /** One after the other: whoever asks for many at once has them all in memory otherwise. */
  return async (height): Promise<Result<WorkEvidence, Fault>> => {
    if (waiting >= WORK_PROOFS_WAITING_MAX)
      return err(
        fault('BUSY', 'too many proofs of work are asked for at once', {
          hint: 'ask for them one after the other',
          data: { retryAfterMs: WORK_PROOF_RETRY_MS },
        }),
      );
    waiting++;
    const gathered = turn.then(() => gather(height)).finally(() => waiting--);
    // A failure is the asker's to hear of, and nobody else's.
    turn = gathered.catch(() => {});
    return gathered;
  };

  async function gather(height: Height): Promise<Result<WorkEvidence, Fault>> {
    if (height > heightMax)
      return err(
        fault(
          'RESPONSE_TOO_LARGE',
          `a proof of work of block ${height} would hold more than ${WORK_HEADERS_MAX} headers`,
          {
            hint: `it holds all headers from the first block on, so that blocks above ${heightMax} have none`,
            data: { heightMax },
          },
        ),
      );
    const headers: Header[] = [];
    // Blocks become final while pages are read: what is left after the last of them is above the final one.
    while (headers.length < Math.min(chain.final.header.height, WORK_HEADERS_MAX)) {
      const limit = Math.min(PAGE, chain.final.header.height - headers.length);
      const page = await store.headers(headers.length + 1, limit);
      assert(page.length > 0, 'a final block that is not stored');
      for (const { header } of page) headers.push(header);
    }
    headers.push(...chain.included().map(each => each.block.header));
    return ok({ headers: headers.slice(0, WORK_HEADERS_MAX), height });
  }
}
