/**
 * Whether a history is linearizable (Herlihy and Wing 1990): whether each operation can have happened at one moment
 * between its call and its return. The search is Wing and Gong's (1993) with Lowe's memory of configurations (2017), part by
 * part: a history is linearizable if and only if that of each object is (Herlihy and Wing, theorem 1; "P-compositional" in
 * Horn and Kroening 2015).
 */
import type { History, Operation } from './history.ts';
import type { Model } from './models.ts';

export type Verdict<I, O> =
  /** One order for each part in which everything could have happened; what never happened is left out. */
  | { readonly linearizable: true; readonly orders: ReadonlyMap<string, History<I, O>> }
  /** The part that has no order, and the longest beginning of one that was found. */
  | { readonly linearizable: false; readonly part: string; readonly longest: History<I, O> };

/** Configurations visited for one part before the checker gives up: a verdict is never a guess. */
const CONFIGURATIONS_MAX = 20_000_000;

export function check<S, I, O>(model: Model<S, I, O>, history: History<I, O>): Verdict<I, O> {
  const orders = new Map<string, History<I, O>>();
  for (const [part, operations] of Map.groupBy(history, each => model.partOf(each.input))) {
    const { order, complete } = search(model, operations);
    if (!complete) return { linearizable: false, part, longest: order };
    orders.set(part, order);
  }
  return { linearizable: true, orders };
}

/** A call or a return, in a list from which linearized operations are taken out and put back. */
interface Entry {
  readonly operation: number;
  readonly kind: 'call' | 'return';
  previous: Entry | null;
  next: Entry | null;
  /** Of a call: its return, where there was one. */
  end: Entry | null;
}

function search<S, I, O>(
  model: Model<S, I, O>,
  operations: History<I, O>,
): { readonly order: History<I, O>; readonly complete: boolean } {
  const head = entriesOf(operations);
  const taken = new Uint32Array(Math.ceil(operations.length / 32));
  const visited = new Set<string>();
  const stack: { readonly entry: Entry; readonly state: S }[] = [];
  let left = operations.filter(each => each.done !== null).length;
  let longest: number[] = [];
  let state = model.initial;
  let entry = head.next;
  while (left > 0) {
    if (entry !== null && entry.kind === 'call') {
      const { input, done } = operations[entry.operation]!;
      const after = model.step(state, input, done && { output: done.output });
      flip(taken, entry.operation);
      if (after !== null && isNew(visited, taken, model.nameOf(after.state))) {
        stack.push({ entry, state });
        state = after.state;
        if (done !== null) left--;
        takeOut(entry);
        entry = head.next;
      } else {
        flip(taken, entry.operation);
        entry = entry.next;
      }
      continue;
    }
    // An operation has returned that cannot have happened yet: something before it happened too early, or too late.
    if (stack.length > longest.length) longest = stack.map(each => each.entry.operation);
    const last = stack.pop();
    if (last === undefined) return { order: longest.map(each => operations[each]!), complete: false };
    ({ state } = last);
    flip(taken, last.entry.operation);
    if (operations[last.entry.operation]!.done !== null) left++;
    putBack(last.entry);
    entry = last.entry.next;
  }
  return { order: stack.map(each => operations[each.entry.operation]!), complete: true };
}

function flip(taken: Uint32Array, operation: number): void {
  taken[operation >> 5]! ^= 1 << (operation & 31);
}

/** Lowe: the same operations done with the same result need no second look, whatever the order in which they came. */
function isNew(visited: Set<string>, taken: Uint32Array, state: string): boolean {
  const size = visited.size;
  if (size >= CONFIGURATIONS_MAX) throw new Error(`no verdict within ${CONFIGURATIONS_MAX} configurations`);
  return visited.add(`${taken.join()} ${state}`).size > size;
}

/** The entries by time. At one moment calls come before returns: what touches may overlap. */
function entriesOf<I, O>(operations: readonly Operation<I, O>[]): Entry {
  const entries: { readonly at: number; readonly entry: Entry }[] = [];
  operations.forEach(({ call, done }, operation) => {
    const links = { operation, previous: null, next: null, end: null };
    const start: Entry = { ...links, kind: 'call' };
    entries.push({ at: call, entry: start });
    if (done === null) return;
    if (done.at < call) throw new Error('an operation returned before it was called');
    start.end = { ...links, kind: 'return' };
    entries.push({ at: done.at, entry: start.end });
  });
  const late = ({ kind }: Entry) => (kind === 'call' ? 0 : 1);
  entries.sort((a, b) => a.at - b.at || late(a.entry) - late(b.entry));
  const head: Entry = { operation: -1, kind: 'call', previous: null, next: null, end: null };
  let last = head;
  for (const { entry } of entries) {
    last.next = entry;
    entry.previous = last;
    last = entry;
  }
  return head;
}

function takeOut(call: Entry): void {
  for (const entry of [call, call.end]) {
    if (entry === null) continue;
    entry.previous!.next = entry.next;
    if (entry.next !== null) entry.next.previous = entry.previous;
  }
}

/** Undoes {@link takeOut}, last out first in. */
function putBack(call: Entry): void {
  for (const entry of [call.end, call]) {
    if (entry === null) continue;
    entry.previous!.next = entry;
    if (entry.next !== null) entry.next.previous = entry;
  }
}
