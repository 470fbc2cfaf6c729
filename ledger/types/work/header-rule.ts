/** When a block is a good child of its parent, as far as a header tells: what every miner and every verifier judges alike. */
import type { Header } from '../header.ts';
import type { BlockId } from '../ids.ts';
import { meets } from './hardness.ts';
import { spacingOf, type WorkParams } from './params.ts';
import { encodeSeal, isSameButNonce, sealAbove } from './seal.ts';

export interface IdentifiedHeader {
  readonly id: BlockId;
  readonly header: Header;
}

export type HeaderFault = 'WRONG_HEIGHT' | 'TOO_SOON' | 'WRONG_SEAL' | 'TARGET_MISSED';

/** What is wrong with a header above its parent, for ever; null: nothing. That it names that parent is for the caller to know. */
export function headerFault(
  params: WorkParams,
  parent: IdentifiedHeader,
  { id, header }: IdentifiedHeader,
): HeaderFault | null {
  if (header.height !== parent.header.height + 1) return 'WRONG_HEIGHT';
  if (header.time < parent.header.time + spacingOf(params)) return 'TOO_SOON';
  const expected = sealAbove(parent.id, parent.header, params);
  if (!isSameButNonce(header.seal, encodeSeal(expected))) return 'WRONG_SEAL';
  return meets(id, expected.hardness) ? null : 'TARGET_MISSED';
}
