/**
 * Checks everything a stopped node has on disk against the genesis and nothing else: it executes every block again.
 * What it finds is listed, never repaired.
 */
import { setImmediate } from 'node:timers/promises';
import { verify } from '#crypto';
import { engines } from '../consensus/registry.ts';
import { verifyCertificate } from '../ledger/certificate.ts';
import { type Chain, createChain, type FinalBlock } from '../ledger/chain.ts';
import { genesisId } from '../ledger/genesis.ts';
import { genesisBlock } from '../ledger/genesis-block.ts';
import { trustedGenesis, type WorkTerms } from '../ledger/proof/trusted-genesis.ts';
import { treeSize } from '../ledger/state/tree.ts';
import type { IdentifiedBlock } from '../ledger/types/block.ts';
import { equalBytes } from '../ledger/types/bytes.ts';
import type { Certificate, CertificateRule } from '../ledger/types/certificate.ts';
import { encode, list } from '../ledger/types/codec.ts';
import { FaultError } from '../ledger/types/errors.ts';
import type { Hash, Height } from '../ledger/types/ids.ts';
import { type Receipt, receipt } from '../ledger/types/receipt.ts';
import { headerFault } from '../ledger/types/work/header-rule.ts';
import { signatureClaims } from './client-signatures.ts';
import { loadHome } from './home.ts';
import { MIB } from './limits.ts';
import { openStateCache, type StateCache } from './state-cache.ts';
import { openStore, type Store } from './storage/store.ts';

/** Something on disk that is not what it should be. */
export interface Finding {
  /** BLOCK_MISSING, BLOCK_INVALID, SIGNATURE_INVALID, CERTIFICATE_INVALID, WORK_INVALID, RECEIPTS_DIFFER, INDEX_DIFFERS, STATE_DIFFERS. */
  readonly code: string;
  readonly height: Height;
  readonly what: string;
}

export interface Verification {
  readonly genesisId: Hash;
  /** The last final block on disk, in the database or in the log. */
  readonly height: Height;
  readonly head: Hash;
  readonly stateRoot: Hash;
  readonly blocks: number;
  readonly transactions: number;
  /** Empty: everything is in order. At most {@link FINDINGS_MAX}. */
  readonly findings: readonly Finding[];
}

/** After so many there is nothing more to learn. */
const FINDINGS_MAX = 100;
const receipts = list(receipt, Number.MAX_SAFE_INTEGER);

/**
 * Verifies the store of a home whose node is stopped: hash links, roots, signatures, certificates or work, receipts, indexes and the
 * final state. Throws a {@link FaultError} where the store cannot be opened at all.
 */
export async function verifyStore(
  home: string,
  onProgress: (height: Height, total: Height) => void,
): Promise<Verification> {
  const { config, genesis, dataDirectory } = loadHome(home, process.env);
  const networkId = genesisId(genesis);
  const { promise: failure, reject } = Promise.withResolvers<never>();
  failure.catch(() => {});
  const store = await openStore(dataDirectory, { genesisId: networkId, failed: reject });
  const cache = await openStateCache(dataDirectory, config.storage.stateCacheMb * MIB, reject);
  try {
    if (store.oldest > 0) throw beganFromSnapshot(store.oldest);
    const rule = engines.get(genesis.consensus.engine)!.spec.certificate;
    const evidence = { rule, work: trustedGenesis(genesis).work };
    const chain = createChain({ chainId: genesis.chainId, limits: genesis.limits }, genesisBlock(genesis).state);
    const checked = await Promise.race([walk(chain, cache, evidence, store, onProgress), failure]);
    const { id, header } = chain.final;
    return { genesisId: networkId, height: header.height, head: id, stateRoot: header.stateRoot, ...checked };
  } finally {
    await cache.close().finally(() => store.close());
  }
}

const beganFromSnapshot = (oldest: Height): FaultError =>
  new FaultError({
    code: 'PRUNED',
    message: `this node began from a snapshot and has no blocks below height ${oldest}, which would have to be executed`,
    hint: 'verify a node that has replayed the whole chain; this one has verified the snapshot as it came',
    data: { oldestHeight: oldest },
  });

/** What makes a block one of the chain: signatures or work, by the engine. */
interface Evidence {
  readonly rule: CertificateRule | null;
  readonly work: WorkTerms | null;
}

async function walk(
  chain: Chain,
  cache: StateCache,
  evidence: Evidence,
  store: Store,
  onProgress: (height: Height, total: Height) => void,
): Promise<Pick<Verification, 'blocks' | 'transactions' | 'findings'>> {
  const findings: Finding[] = [];
  let transactions = 0;
  const final = store.recovered.final;
  if (final && store.header(0)?.id !== chain.final.id)
    throw new FaultError({
      code: 'WRONG_GENESIS',
      message: 'block 0 on disk is not the one that genesis.json makes',
      hint: 'put the genesis.json of this network into the home, or remove data/',
    });
  const stored = final?.height ?? 0;
  // What was decided but is in the log only, after a crash: it has no indexes yet.
  const logged = store.recovered.replay.filter(({ block }) => block.header.height > 0);
  const total = stored + logged.length;
  for (let height = 1; height <= total && findings.length < FINDINGS_MAX; height++) {
    const inLog = logged[height - stored - 1];
    const block = inLog ? inLog.block : store.block(height);
    if (!block) {
      findings.push({ code: 'BLOCK_MISSING', height, what: 'not on disk, or damaged there' });
      break;
    }
    const { found, final } = judge(chain, evidence, block, inLog ? inLog.certificate : store.certificate(height));
    if (final && !inLog) found.push(...checkIndexes(store, block, final.receipts));
    findings.push(...found.map(each => ({ ...each, height })));
    transactions += block.transactions.length;
    if (!final) break;
    await cache.moved(chain.final.tree, [final.changes]);
    if (height === stored && findings.length === 0) findings.push(...(await checkState(chain, store, height)));
    onProgress(height, total);
    if (height % 16 === 0) await setImmediate();
  }
  return { blocks: chain.final.header.height + 1, transactions, findings };
}

/** A block against its parent and its evidence; a valid one is final afterwards, so that the next can be judged on it. */
function judge(
  chain: Chain,
  { rule, work }: Evidence,
  block: IdentifiedBlock,
  certificate: Certificate | null,
): { readonly found: Omit<Finding, 'height'>[]; readonly final: FinalBlock | null } {
  const { id, header } = block;
  const found: Omit<Finding, 'height'>[] = [];
  for (const transaction of block.transactions)
    if (!signatureClaims([transaction]).every(({ key, message, signature }) => verify(key, message, signature)))
      found.push({ code: 'SIGNATURE_INVALID', what: transaction.id });
  const reason = certificate && rule && verifyCertificate(header, id, certificate, chain.final.validators, rule);
  if (rule !== null && !reason?.ok)
    found.push({ code: 'CERTIFICATE_INVALID', what: reason ? reason.error.code : 'there is none' });
  const flaw = work && headerFault(work.params, chain.final, block);
  if (flaw !== null) {
    found.push({ code: 'WORK_INVALID', what: flaw });
    return { found, final: null };
  }
  const verdict = chain.validate(block);
  if (!verdict.ok) {
    found.push({ code: 'BLOCK_INVALID', what: `${verdict.error.code} ${verdict.error.concerns}` });
    return { found, final: null };
  }
  const [final] = chain.adopt(id, header.height);
  return { found, final: final! };
}

/** What the database says about a block beside the block itself. */
function checkIndexes(
  store: Store,
  { id, header, transactions }: IdentifiedBlock,
  executed: readonly Receipt[],
): Omit<Finding, 'height'>[] {
  const found: Omit<Finding, 'height'>[] = [];
  const stored = store.receipts(header.height);
  if (!stored || !equalBytes(encode(receipts, stored), encode(receipts, executed)))
    found.push({ code: 'RECEIPTS_DIFFER', what: 'not what executing the block gives' });
  for (const [index, transaction] of transactions.entries()) {
    const place = store.transaction(transaction.id);
    if (place?.height !== header.height || place.index !== index)
      found.push({ code: 'INDEX_DIFFERS', what: transaction.id });
  }
  if (store.header(id)?.header.height !== header.height) found.push({ code: 'INDEX_DIFFERS', what: id });
  return found;
}

async function checkState({ final }: Chain, store: Store, height: Height): Promise<Finding[]> {
  let entries = 0;
  for await (const page of store.stateEntries()) {
    for (const [key, value] of page) {
      const executed = final.tree.get(key);
      if (executed === null || !equalBytes(executed, value))
        return [{ code: 'STATE_DIFFERS', height, what: `${JSON.stringify(key)} on disk is not as the blocks left it` }];
    }
    entries += page.length;
  }
  const missing = treeSize(final.tree) - entries;
  return missing === 0 ? [] : [{ code: 'STATE_DIFFERS', height, what: `${missing} entries are not on disk` }];
}
