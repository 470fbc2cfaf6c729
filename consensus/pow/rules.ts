/** When a block is a good child of its parent, as far as a header tells; what the ledger thinks of it comes later. */
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, Height, Millis } from '../../ledger/types/ids.ts';
import type { Params } from '../core.ts';
import { HARDNESS_MIN, meets } from './hardness.ts';
import { encodeSeal, isSameButNonce, sealAbove, sealOf } from './seal.ts';

/**
 * A block is final with so many above it. Fewer, and two halves of a network that lost sight of each other for a moment would
 * never find back together; more, and everyone waits longer.
 */
export const FINAL_DEPTH = 6;

/** One block is due in this time. */
export const intervalOf = (params: Params): Millis => params.viewTimeoutMs;

/**
 * At least so much lies between a block and its parent: while blocks are far too easy the chain grows twice as fast as it
 * should and no faster, and every block has the time to reach everyone before the next.
 */
export const spacingOf = (params: Params): Millis => Math.ceil(intervalOf(params) / 2);

export type HeaderFault = 'WRONG_HEIGHT' | 'TOO_SOON' | 'WRONG_SEAL' | 'TARGET_MISSED';

/** What is wrong with a header above its parent, for ever; null: nothing. */
export function headerFault(
  params: Params,
  parent: { readonly id: BlockId; readonly header: Header },
  { id, header }: { readonly id: BlockId; readonly header: Header },
): HeaderFault | null {
  if (header.height !== parent.header.height + 1) return 'WRONG_HEIGHT';
  if (header.time < parent.header.time + spacingOf(params)) return 'TOO_SOON';
  const expected = sealAbove(parent.id, parent.header, intervalOf(params));
  if (!isSameButNonce(header.seal, encodeSeal(expected))) return 'WRONG_SEAL';
  return meets(id, expected.hardness) ? null : 'TARGET_MISSED';
}

/** Whether a header whose parent is unknown may be one of this chain at all: it cost its maker what it says. */
export function isSealed(id: BlockId, header: Header): boolean {
  const seal = sealOf(header);
  return seal !== null && seal.hardness >= HARDNESS_MIN && meets(id, seal.hardness);
}

/** The greatest height that a chain can have reached above `base` at `time`. */
export const heightAt = (params: Params, base: Header, time: Millis): Height =>
  base.height + Math.max(0, Math.floor((time - base.time) / spacingOf(params)));
