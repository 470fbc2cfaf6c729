/** What a header tells without its parent. Against its parent it is judged by `ledger/types/work/header-rule.ts`. */
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, Height, Millis } from '../../ledger/types/ids.ts';
import { meets } from '../../ledger/types/work/hardness.ts';
import { spacingOf } from '../../ledger/types/work/params.ts';
import { sealOf } from '../../ledger/types/work/seal.ts';
import type { PowParams } from './params.ts';

/** Whether a header whose parent is unknown may be one of this chain at all: it cost its maker what it says. */
export function isSealed({ hardnessMin }: PowParams, id: BlockId, header: Header): boolean {
  const seal = sealOf(header);
  return seal !== null && seal.hardness >= hardnessMin && meets(id, seal.hardness);
}

/** The greatest height that a chain can have reached above `base` at `time`. */
export const heightAt = (params: PowParams, base: Header, time: Millis): Height =>
  base.height + Math.max(0, Math.floor((time - base.time) / spacingOf(params)));
