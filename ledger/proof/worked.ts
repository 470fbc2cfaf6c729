/** Bundles of proof of work: all headers from the first block on, each judged as a miner judges it. */
import { blockId } from '../crypto/ids.ts';
import type { Header } from '../types/header.ts';
import { headerFault, type IdentifiedHeader } from '../types/work/header-rule.ts';
import type { TrustedGenesis, WorkTerms } from './trusted-genesis.ts';
import type { Check } from './verdict.ts';

export const WORK_ASSUMPTION =
  'proof of work makes nothing certain: whoever spends as many hashes on another chain, now or later, undoes or forges this; compare the work and the block with what several members see';

/** Every header follows from the one below, and took the work that it had to. */
export function checkHeaders(headers: readonly Header[], { chainId }: TrustedGenesis, work: WorkTerms): Check {
  if (headers.some(each => each.chainId !== chainId)) return { code: 'PROOF_OF_OTHER_CHAIN' };
  let parent: IdentifiedHeader = { id: blockId(work.origin), header: work.origin };
  if (headers[0]?.parent !== parent.id) return { code: 'PROOF_OF_OTHER_CHAIN' };
  for (const header of headers) {
    const block = { id: blockId(header), header };
    const reason = header.parent === parent.id ? headerFault(work.params, parent, block) : 'WRONG_PARENT';
    if (reason !== null) return { code: 'PROOF_WORK', height: parent.header.height + 1, reason };
    parent = block;
  }
  return null;
}
