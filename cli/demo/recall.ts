/** What became of the bad lot: everything made from it, and where that is now. */
import type { RecallStep, Stock, Whereabouts } from '../../client/api.ts';
import { everyItem } from '../../client/pages.ts';
import type { Rpc } from '../../client/rpc.ts';
import { unwrap } from '../fault.ts';
import { whereOf } from '../supply/present.ts';
import { organisationName } from './cast.ts';
import { RECALLED } from './chapters.ts';
import type { Stage } from './stage.ts';
import { amountText, thingOf } from './thing.ts';

export interface RecallLine {
  readonly id: string;
  /** What leads to it; null: the bad lot itself. */
  readonly because: string | null;
  readonly label: string;
  readonly where: string;
}

export interface Recall {
  /** The lot and what was made from it. */
  readonly made: readonly RecallLine[];
  /** What those were packed in or with. */
  readonly packed: readonly RecallLine[];
}

/** Asked by the grocer, who has to take it off the shelf. */
export async function recallOf({ rpcOf }: Stage): Promise<Recall> {
  const rpc = rpcOf('grocer');
  const steps = unwrap(await everyItem(rpc, 'supply_recall', { epc: RECALLED }));
  const made: RecallLine[] = [];
  const packed: RecallLine[] = [];
  for (const step of steps) {
    const line = { id: step.id, because: step.because, label: thingOf(step.id).label, where: await placeOf(rpc, step) };
    const isPacking = step.reason === 'contained' || step.reason === 'packed with';
    (isPacking ? packed : made).push(line);
  }
  return { made, packed };
}

async function placeOf(rpc: Rpc, { id, where, stock }: RecallStep): Promise<string> {
  if (where === null) return stock.map(stockText).join(', ');
  if (where.place === 'decommissioned' && (await wasSold(rpc, id))) return `sold by ${nameOf(where)}`;
  const inside = where.container === null ? '' : `, in ${thingOf(where.container).label}`;
  return whereText(where) + inside;
}

const nameOf = ({ member }: Whereabouts): string => (member === null ? 'nobody' : organisationName(member));
const whereText = (where: Whereabouts): string => whereOf({ ...where, member: nameOf(where) });
const stockText = (stock: Stock): string => `${amountText(stock.quantity, stock.unit)} ${whereText(stock)}`;

/** The event that ended it says why. */
async function wasSold(rpc: Rpc, epc: string): Promise<boolean> {
  const events = unwrap(await everyItem(rpc, 'supply_getEvents', { epc }));
  return events.some(({ action, bizStep, ...each }) => {
    const isSale = action === 'DELETE' && bizStep !== null && /(^|[-/:])retail_selling$/.test(bizStep);
    return isSale && each.void === null;
  });
}
