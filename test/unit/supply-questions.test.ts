import { expect, test } from 'vitest';
import type { Chain } from '../../ledger/chain.ts';
import { emptyTree, update } from '../../ledger/state/tree.ts';
import { type Bytes, utf8 } from '../../ledger/types/bytes.ts';
import { createSupplyQuestions } from '../../node/supply-questions.ts';

test('questions see the newest final state, from the store on and after each block', async () => {
  const stored = Array.from({ length: 2_500 }, (_, i) => `supply/item/${String(i).padStart(4, '0')}`);
  const chain = { final: { tree: update(emptyTree, new Map(stored.map(key => [key, utf8(key)]))) } };
  const pages: number[] = [];
  const store = {
    async listState(prefix: string, after: string | null, limit: number) {
      const page = stored.filter(key => key.startsWith(prefix) && key > (after ?? '')).slice(0, limit);
      pages.push(page.length);
      return page.map(key => [key, utf8(key)] as const);
    },
  };
  const questions = await createSupplyQuestions(chain as Pick<Chain, 'final'>, store);
  expect(pages).toEqual([1_000, 1_000, 500]);
  expect(
    questions
      .newest()
      .list('supply/', 'supply/item/2497', 10)
      .map(row => row.key),
  ).toEqual(stored.slice(2_498));

  const changes = new Map<string, Bytes | null>([
    ['supply/item/2498', null],
    ['supply/item/2499', utf8('changed')],
    ['supply/item/9999', utf8('new')],
    ['tokens/token/QRT', utf8('another module')],
  ]);
  chain.final = { tree: update(chain.final.tree, changes) };
  questions.apply(changes);
  const rows = questions.newest().list('', 'supply/item/2497', 10);
  expect(rows.map(({ key, value }) => [key, Buffer.from(value).toString()])).toEqual([
    ['supply/item/2499', 'changed'],
    ['supply/item/9999', 'new'],
  ]);
  expect(questions.newest().get('supply/item/2498')).toBeNull();
});
