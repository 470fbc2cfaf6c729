/** When a block is a good child of its parent, as far as a header tells; what the ledger thinks of it comes later. */
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, Height, Millis } from '../../ledger/types/ids.ts';
import { meets } from './hardness.ts';
import { type PowParams, spacingOf } from './params.ts';
import { encodeSeal, isSameButNonce, sealAbove, sealOf } from './seal.ts';

export type HeaderFault = 'WRONG_HEIGHT' | 'TOO_SOON' | 'WRONG_SEAL' | 'TARGET_MISSED';

/** What is wrong with a header above its parent, for ever; null: nothing. */
export function headerFault(
  params: PowParams,
  parent: { readonly id: BlockId; readonly header: Header },
  { id, header }: { readonly id: BlockId; readonly header: Header },
): HeaderFault | null {
  if (header.height !== parent.header.height + 1) return 'WRONG_HEIGHT';
  if (header.time < parent.header.time + spacingOf(params)) return 'TOO_SOON';
  const expected = sealAbove(parent.id, parent.header, params);
  if (!isSameButNonce(header.seal, encodeSeal(expected))) return 'WRONG_SEAL';
  return meets(id, expected.hardness) ? null : 'TARGET_MISSED';
}

/** Whether a header whose parent is unknown may be one of this chain at all: it cost its maker what it says. */
export function isSealed({ hardnessMin }: PowParams, id: BlockId, header: Header): boolean {
  const seal = sealOf(header);
  return seal !== null && seal.hardness >= hardnessMin && meets(id, seal.hardness);
}

/** The greatest height that a chain can have reached above `base` at `time`. */
export const heightAt = (params: PowParams, base: Header, time: Millis): Height =>
  base.height + Math.max(0, Math.floor((time - base.time) / spacingOf(params)));
