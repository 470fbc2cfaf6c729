/** Checks proof bundles: which kind it is, whether it holds under a genesis, and what it proves. */

import { blockId } from './crypto/ids.ts';
import { type Bundle, bundle, isWorkBundle, PROOF_BYTES_MAX, type WorkBundle, workBundle } from './proof/bundle.ts';
import { checkCertificates, checkLinks, checkNetwork, PROVABLE } from './proof/certified.ts';
import { checkClaim, checkSigners, verifiedClaim } from './proof/claim.ts';
import type { TrustedGenesis } from './proof/trusted-genesis.ts';
import type { ProofError, Verified } from './proof/verdict.ts';
import { checkHeaders, WORK_ASSUMPTION } from './proof/worked.ts';
import { type Bytes, equalBytes } from './types/bytes.ts';
import { type Codec, decode, encode } from './types/codec.ts';
import { err, ok, type Result } from './types/errors.ts';
import type { Header } from './types/header.ts';
import { WORK_ENGINE } from './types/work/params.ts';
import { workAt } from './types/work/seal.ts';

export interface Demand {
  /** How many blocks must stand on one that is proved by work; as many as genesis says, unless given. */
  readonly leastDepth?: number;
}

/**
 * Checks a bundle against a genesis, with no network and no clock. Hashes come before signatures, so that what is
 * merely damaged costs little. Nothing in a bundle is optional: one that says the same in another way is refused. But
 * headers at the end of a chain of work may be left out: then less is proved.
 */
export function verifyProof(
  bytes: Bytes,
  genesis: TrustedGenesis,
  { leastDepth }: Demand = {},
): Result<Verified, ProofError> {
  if (bytes.length > PROOF_BYTES_MAX) return err({ code: 'PROOF_TOO_LARGE' });
  if (isWorkBundle(bytes)) {
    const proof = decodeCanonical(workBundle, bytes);
    return proof.ok ? verifyWorked(proof.value, genesis, leastDepth) : proof;
  }
  const proof = decodeCanonical(bundle, bytes);
  return proof.ok ? verifyCertified(proof.value, genesis) : proof;
}

function decodeCanonical<T>(codec: Codec<T>, bytes: Bytes): Result<T, ProofError> {
  const decoded = decode(codec, bytes);
  if (!decoded.ok) return err({ code: 'PROOF_MALFORMED', reason: decoded.error.reason });
  return equalBytes(encode(codec, decoded.value), bytes)
    ? decoded
    : err({ code: 'PROOF_MALFORMED', reason: 'not canonical' });
}

function verifyCertified(proof: Bundle, genesis: TrustedGenesis): Result<Verified, ProofError> {
  if (genesis.work !== null) return err({ code: 'PROOF_OF_OTHER_ENGINE' });
  const provable = PROVABLE.get(genesis.engine);
  if (provable === undefined) return err({ code: 'PROOF_ENGINE_UNKNOWN' });
  const { rule, assumption } = provable;
  const { header } = proof.target;
  const error =
    checkNetwork(proof, genesis) ??
    checkClaim(proof.claim, header) ??
    checkLinks(proof, genesis) ??
    checkCertificates(proof, genesis, rule) ??
    checkSigners(proof.claim);
  if (error !== null) return err(error);
  const evidence = { finality: 'instant', trust: rule.trust, setChanges: proof.changes.length } as const;
  return ok({ ...provedOf(proof, header, genesis), assumption, ...evidence });
}

function verifyWorked(
  proof: WorkBundle,
  genesis: TrustedGenesis,
  leastDepth: number | undefined,
): Result<Verified, ProofError> {
  if (genesis.engine !== WORK_ENGINE) return err({ code: 'PROOF_OF_OTHER_ENGINE' });
  const { work } = genesis;
  if (work === null) return err({ code: 'PROOF_ENGINE_UNKNOWN' });
  const { headers, height, claim } = proof;
  const header = headers[height - 1];
  if (header === undefined) return err({ code: 'PROOF_ANCESTRY' });
  const depth = headers.length - height;
  const least = leastDepth ?? work.params.finalityDepth;
  const error = checkHeaders(headers, genesis, work) ?? checkClaim(claim, header) ?? checkSigners(claim);
  if (error !== null) return err(error);
  if (depth < least) return err({ code: 'PROOF_TOO_SHALLOW', depth, least });
  const evidence = { finality: 'probabilistic', trust: 'none', depth, work: workAt(headers.at(-1)!) } as const;
  return ok({ ...provedOf(proof, header, genesis), assumption: WORK_ASSUMPTION, ...evidence });
}

const provedOf = (
  { claim }: Bundle | WorkBundle,
  header: Header,
  { genesisId, chainId, engine }: TrustedGenesis,
): Pick<Verified, 'genesisId' | 'chainId' | 'engine' | 'block' | 'height' | 'time' | 'claim'> => ({
  ...{ genesisId, chainId, engine },
  ...{ block: blockId(header), height: header.height, time: header.time },
  claim: verifiedClaim(claim),
});
