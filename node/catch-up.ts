/**
 * A certified block from a peer, on its way into the ledger. The certificate is the proof that a quorum executed it to the
 * very roots of its header; a node that comes to another result has a fault of its own or shares a network with more
 * liars than it can bear, and stops.
 */

import { verifyCertificate } from '../ledger/certificate.ts';
import type { Chain } from '../ledger/chain.ts';
import type { Crypto } from '../ledger/crypto/port.ts';
import { identifyBlock } from '../ledger/identify-block.ts';
import type { Certificate, CertificateRule } from '../ledger/types/certificate.ts';
import { FaultError } from '../ledger/types/errors.ts';
import type { BlockId } from '../ledger/types/ids.ts';
import type { Finality } from './finality.ts';
import type { CertifiedBlock } from './network/certified-block.ts';
import type { ApplyVerdict } from './network/sync.ts';

/** `ok`: executed, and ready to be adopted. `differs`: a quorum came to another result. */
export type Finding =
  | { readonly verdict: 'ok'; readonly id: BlockId; readonly certificate: Certificate }
  | { readonly verdict: 'bad' | 'behind' }
  | { readonly verdict: 'differs'; readonly fault: FaultError };

/** Judges a block that a peer says is the one above the final one. `verify` is the crypto port's where it is left out. */
export function judgeCertified(
  chain: Chain,
  rule: CertificateRule | null,
  { block: plain, certificate }: CertifiedBlock,
  verify?: Crypto['verify'],
): Finding {
  const { header } = plain;
  if (header.height <= chain.final.header.height) return { verdict: 'behind' };
  if (header.parent !== chain.final.id || certificate === null || rule === null) return { verdict: 'bad' };
  const block = identifyBlock(plain);
  if (!block.ok) return { verdict: 'bad' };
  const { id } = block.value;
  const certified = verifyCertificate(header, id, certificate, chain.final.validators, rule, verify);
  if (!certified.ok) return { verdict: 'bad' };
  const executed = chain.validate(block.value);
  if (executed.ok) return { verdict: 'ok', id, certificate };
  const { code, concerns } = executed.error;
  const fault = new FaultError({
    code: 'EXECUTION_DIFFERS',
    message: `a quorum certified block ${header.height}, which is ${code} (${concerns}) here`,
    hint: 'compare the versions of the nodes, keep the data directory as evidence, and do not restart before you know which side is wrong',
    data: { height: header.height, block: id, ...executed.error },
  });
  return { verdict: 'differs', fault };
}

export function createCatchUp(
  chain: Chain,
  rule: CertificateRule | null,
  finality: Finality,
  fatal: (error: unknown) => void,
): (certified: CertifiedBlock) => Promise<ApplyVerdict> {
  return async certified => {
    const found = judgeCertified(chain, rule, certified);
    if (found.verdict === 'differs') {
      fatal(found.fault);
      return 'behind';
    }
    if (found.verdict === 'ok') await finality.adopt(found.id, certified.block.header.height, found.certificate);
    return found.verdict;
  };
}
