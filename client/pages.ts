import { err, type Fault, ok, type Result } from '../ledger/types/errors.ts';
import type { MethodName, Methods, PageRequest } from './api.ts';
import type { Rpc } from './rpc.ts';

/** The methods whose results are pages. */
export type PagedMethod = {
  [M in MethodName]: Methods[M]['result'] extends { readonly items: readonly unknown[]; readonly next: string | null }
    ? M
    : never;
}[MethodName];

type Item<M extends PagedMethod> = Methods[M]['result']['items'][number];

/** The most that a node gives at once. */
const PAGE_ITEMS = 500;
/** A list that never ends is a fault of the node. */
const PAGES_MAX = 10_000;

/** Every item of a paged list, page after page, in order. */
export async function everyItem<M extends PagedMethod>(
  rpc: Rpc,
  method: M,
  params: Omit<Methods[M]['params'], keyof PageRequest>,
): Promise<Result<Item<M>[], Fault>> {
  const items: Item<M>[] = [];
  let cursor: string | null = null;
  for (let i = 0; i < PAGES_MAX; i++) {
    const request: object = { ...params, limit: PAGE_ITEMS, ...(cursor === null ? {} : { cursor }) };
    const page: Result<Methods[M]['result'], Fault> = await rpc.call(method, request as Methods[M]['params']);
    if (!page.ok) return page;
    items.push(...page.value.items);
    cursor = page.value.next;
    if (cursor === null) return ok(items);
  }
  return err({ code: 'BAD_ANSWER', message: `${method} has no end`, hint: 'ask another node' });
}
