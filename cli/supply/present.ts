/** Answers about things as lines and trees for people. */
import type { RecallStep, Stock, StockLine, SupplyEvent, TraceStep, Whereabouts } from '../../client/api.ts';
import { printable, table } from '../output.ts';

/** Where something is, in a few words. */
export function whereOf({ place, member, to }: Whereabouts): string {
  const who = member ?? 'nobody';
  switch (place) {
    case 'held':
      return `held by ${who}`;
    case 'transit':
      return `in transit from ${who} to ${to ?? 'whoever receives it'}`;
    case 'left':
      return `left the network from ${who} to ${to ?? 'an unnamed party'}`;
    case 'consumed':
      return `consumed by ${who}`;
    case 'decommissioned':
      return `decommissioned by ${who}`;
    case 'inside':
      return 'in a container';
  }
}

export const amountOf = ({ quantity, unit }: Pick<StockLine, 'quantity' | 'unit'>): string =>
  quantity === null ? '' : `${quantity}${unit === null ? '' : ` ${unit}`}`;

/** The word of a URI of the CBV, or all of another one. */
const word = (uri: string | null): string => uri?.replace(/^https:\/\/ref\.gs1\.org\/cbv\/[A-Za-z]+-/, '') ?? '';

/** Time, what happened, who recorded it, where, and the hash. */
export function eventLine(event: SupplyEvent): string[] {
  const what = [event.type, event.action, word(event.bizStep)].filter(each => each !== null && each !== '').join(' ');
  const shown = event.void === null ? what : `VOID ${what}`;
  const by = [event.member, ...event.attestedBy].join(' ');
  return [event.eventTime, shown, by, String(event.height), event.hash];
}

export function stockTable(items: readonly StockLine[]): string {
  const inbound = items.some(each => each.from !== undefined);
  return table(
    ['id', 'amount', 'holds', ...(inbound ? ['from', 'to'] : [])],
    items.map(each => [
      each.id,
      amountOf(each),
      each.contents === 0 ? '' : each.contents,
      ...(inbound ? [each.from ?? '', each.to ?? 'whoever receives it'] : []),
    ]),
  );
}

export interface Branch {
  readonly id: string;
  /** What it hangs on; null: the root. */
  readonly parent: string | null;
  readonly text: string;
  /** Further lines below it. */
  readonly more: readonly string[];
}

/** Branches below what they hang on, each once, in their order. What hangs on nothing that is shown is a root of its own. */
export function tree(branches: readonly Branch[]): string {
  const ids = new Set(branches.map(each => each.id));
  const children = new Map<string | null, Branch[]>();
  for (const each of branches) {
    const parent = each.parent !== null && each.parent !== each.id && ids.has(each.parent) ? each.parent : null;
    children.set(parent, [...(children.get(parent) ?? []), each]);
  }
  const lines: string[] = [];
  const seen = new Set<Branch>();
  // A stack and not a recursion: a chain of ten thousand steps is a question like any other.
  const stack = (children.get(null) ?? []).map(branch => ({ branch, lead: '', indent: '' })).reverse();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { branch, lead, indent } = next;
    if (seen.has(branch)) continue;
    seen.add(branch);
    const below = children.get(branch.id) ?? [];
    lines.push(lead + printable(branch.text));
    for (const line of branch.more) lines.push(`${indent}${below.length > 0 ? '│ ' : '  '}  ${printable(line)}`);
    for (const [i, child] of [...below.entries()].reverse()) {
      const last = i === below.length - 1;
      stack.push({
        branch: child,
        lead: `${indent}${last ? '└─ ' : '├─ '}`,
        indent: `${indent}${last ? '   ' : '│  '}`,
      });
    }
  }
  return lines.join('\n');
}

const voidMark = (step: { readonly void: boolean }): string => (step.void ? ' (by a void event alone)' : '');

const RELATIONS: Readonly<Record<TraceStep['relation'], string>> = { start: '', transformed: '', lot: ' (lot)' };

export const traceTree = (steps: readonly TraceStep[]): string =>
  tree(
    steps.map(step => ({
      id: step.id,
      parent: step.from,
      text: step.id + RELATIONS[step.relation] + voidMark(step),
      more: step.event === null ? [] : [`event ${step.event}`],
    })),
  );

export const recallTree = (steps: readonly RecallStep[]): string =>
  tree(
    steps.map(step => ({
      id: step.id,
      parent: step.because,
      text: `${step.id} [${step.reason}]${step.where === null ? '' : ` ${whereOf(step.where)}`}${voidMark(step)}`,
      more: step.stock.map((each: Stock) => `${amountOf(each)} ${whereOf(each)}`),
    })),
  );
