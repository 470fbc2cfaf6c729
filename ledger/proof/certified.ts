/** Bundles of engines whose validators sign what is final: certificates from the genesis set to the one that decided the block. */
import { isMinimal, verifyCertificate } from '../certificate.ts';
import { blockId, historyLeaf, validatorSetHash } from '../crypto/ids.ts';
import { verifyInclusion } from '../crypto/merkle.ts';
import { BYZANTINE_COMMIT, type CertificateRule, CRASH_ACK } from '../types/certificate.ts';
import type { Header } from '../types/header.ts';
import type { Hash } from '../types/ids.ts';
import type { ValidatorSet } from '../types/validator.ts';
import type { FinalHeader, FinalityProof } from './bundle.ts';
import type { TrustedGenesis } from './trusted-genesis.ts';
import type { Check } from './verdict.ts';

/** What a signature of an engine's validators is worth to somebody who was not there. */
export interface Provable {
  readonly rule: CertificateRule;
  readonly assumption: string;
}

const BYZANTINE: Provable = {
  rule: BYZANTINE_COMMIT,
  assumption:
    'less than a third of the voting power of every validator set since genesis signed something false, then or later',
};
const CRASH: Provable = {
  rule: CRASH_ACK,
  assumption:
    'crash-fault trust: no validator of any set since genesis ever signed something false; a single one that lies can forge this with others',
};

/** By an engine's name in genesis. An engine that is not here proves nothing to others by signatures. */
export const PROVABLE: ReadonlyMap<string, Provable> = new Map([
  ['pbft', BYZANTINE],
  ['pos', BYZANTINE],
  ['raft', CRASH],
  ['paxos', CRASH],
]);

/** The target is final on this genesis, under the rule of its engine. */
export const checkFinality = (proof: FinalityProof, genesis: TrustedGenesis, rule: CertificateRule): Check =>
  checkNetwork(proof, genesis) ?? checkLinks(proof, genesis) ?? checkCertificates(proof, genesis, rule);

/** The proof is of this network, and its target stands on this genesis. */
export function checkNetwork(
  { engine, origin, ancestry, changes, target }: FinalityProof,
  genesis: TrustedGenesis,
): Check {
  const headers = [origin, ...[...changes, target].flatMap(each => [each.parent, each.header])];
  if (headers.some(each => each.chainId !== genesis.chainId)) return { code: 'PROOF_OF_OTHER_CHAIN' };
  if (origin.height !== 0 || origin.parent !== genesis.genesisId) return { code: 'PROOF_OF_OTHER_CHAIN' };
  if (engine !== genesis.engine) return { code: 'PROOF_OF_OTHER_ENGINE' };
  const ancestors = [{ header: origin, ancestry }, ...changes];
  return ancestors.every(each => isAncestor(each, target.header)) ? null : { code: 'PROOF_ANCESTRY' };
}

const isAncestor = (of: { readonly header: Header; readonly ancestry: readonly Hash[] }, target: Header): boolean =>
  verifyInclusion(target.historyRoot, historyLeaf(blockId(of.header)), {
    index: of.header.height,
    size: target.height,
    path: of.ancestry,
  });

/** Each set is the one that the chain names, decides the next change, and comes once; the last one decided the target. */
export function checkLinks({ origin, changes, target }: FinalityProof, { chainId, validators }: TrustedGenesis): Check {
  const wrong: Check = { code: 'PROOF_VALIDATORS' };
  let inForce = validatorSetHash(chainId, validators);
  if (origin.nextValidatorsHash !== inForce) return wrong;
  const seen = new Set([inForce]);
  let height = 0;
  for (const { parent, header, validators: next } of changes) {
    if (!follows(header, parent) || parent.nextValidatorsHash !== inForce || header.height <= height) return wrong;
    inForce = validatorSetHash(chainId, next);
    if (header.nextValidatorsHash !== inForce || seen.has(inForce)) return wrong;
    seen.add(inForce);
    height = header.height;
  }
  const { parent, header } = target;
  return follows(header, parent) && parent.nextValidatorsHash === inForce && header.height > height ? null : wrong;
}

const follows = (header: Header, parent: Header): boolean =>
  header.height === parent.height + 1 && header.parent === blockId(parent);

export function checkCertificates(
  { changes, target }: FinalityProof,
  genesis: TrustedGenesis,
  rule: CertificateRule,
): Check {
  let { validators } = genesis;
  for (const change of changes) {
    const error = checkCertificate(change, validators, rule);
    if (error !== null) return error;
    validators = change.validators;
  }
  return checkCertificate(target, validators, rule);
}

function checkCertificate(
  { header, certificate }: FinalHeader,
  validators: ValidatorSet,
  rule: CertificateRule,
): Check {
  const result = verifyCertificate(header, blockId(header), certificate, validators, rule);
  if (!result.ok) return result.error;
  return isMinimal(certificate, validators, rule) ? null : { code: 'PROOF_NOT_MINIMAL' };
}
