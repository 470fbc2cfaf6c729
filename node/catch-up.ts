/**
 * A certified block from a peer, on its way into the ledger. The certificate is the proof that a quorum executed it to the
 * very roots of its header; a node that comes to another result has a fault of its own or shares a network with more
 * liars than it can bear, and stops.
 */
import { verifyCertificate } from '../ledger/certificate.ts';
import type { Chain } from '../ledger/chain.ts';
import { identifyBlock } from '../ledger/identify-block.ts';
import type { CertificateRule } from '../ledger/types/certificate.ts';
import { FaultError } from '../ledger/types/errors.ts';
import type { Finality } from './finality.ts';
import type { CertifiedBlock } from './network/certified-block.ts';
import type { ApplyVerdict } from './network/sync.ts';

export function createCatchUp(
  chain: Chain,
  rule: CertificateRule | null,
  finality: Finality,
  fatal: (error: unknown) => void,
): (certified: CertifiedBlock) => Promise<ApplyVerdict> {
  return async ({ block: plain, certificate }) => {
    const { header } = plain;
    if (header.height <= chain.final.header.height) return 'behind';
    if (header.parent !== chain.final.id || certificate === null || rule === null) return 'bad';
    const block = identifyBlock(plain);
    if (!block.ok) return 'bad';
    const { id } = block.value;
    if (!verifyCertificate(header, id, certificate, chain.final.validators, rule).ok) return 'bad';
    const verdict = chain.validate(block.value);
    if (!verdict.ok) {
      fatal(
        new FaultError({
          code: 'EXECUTION_DIFFERS',
          message: `a quorum certified block ${header.height}, which is ${verdict.error.code} (${verdict.error.concerns}) here`,
          hint: 'compare the versions of the nodes, keep the data directory as evidence, and do not restart before you know which side is wrong',
          data: { height: header.height, block: id, ...verdict.error },
        }),
      );
      return 'behind';
    }
    await finality.adopt(id, header.height, certificate);
    return 'ok';
  };
}
