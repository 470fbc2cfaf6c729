/** Who holds what at the end of the story, asked of each organisation's own node. */
import { everyItem } from '../../client/pages.ts';
import { unwrap } from '../fault.ts';
import { ORGANISATIONS } from './cast.ts';
import type { Stage } from './stage.ts';
import { amountText, thingOf } from './thing.ts';

export interface Holding {
  readonly member: string;
  readonly kind: string;
  /** Such as `A-0903 100 kg`, `3102`, `2 (3 inside)`. */
  readonly things: readonly string[];
}

/** In the order of the organisations, then of ids; one that holds nothing is not listed. */
export async function holdingsOf({ rpcOf }: Stage): Promise<Holding[]> {
  const holdings: Holding[] = [];
  for (const { id: member } of ORGANISATIONS) {
    const lines = unwrap(await everyItem(rpcOf(member), 'supply_listItems', { holder: member }));
    const kinds = new Map<string, string[]>();
    for (const { id, quantity, unit, contents } of lines) {
      const { kind, name } = thingOf(id);
      const detail =
        quantity === null ? (contents === 0 ? '' : ` (${contents} inside)`) : ` ${amountText(quantity, unit)}`;
      kinds.set(kind, [...(kinds.get(kind) ?? []), name + detail]);
    }
    for (const [kind, things] of kinds) holdings.push({ member, kind, things });
  }
  return holdings;
}
