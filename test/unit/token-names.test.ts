import { expect, test } from 'vitest';
import { utf8 } from '../../ledger/types/bytes.ts';
import { createTokenNames, FEW_TOKENS_MAX } from '../../node/token-names.ts';

const storeOf = (names: readonly string[]) => ({
  listState: async (prefix: string, _after: string | null, limit: number) =>
    names
      .toSorted()
      .slice(0, limit)
      .map(name => [prefix + name, utf8('')] as const),
});
const changes = (...keys: string[]) => new Map(keys.map(key => [key, utf8('')] as const));
const many = (count: number) => Array.from({ length: count }, (_, i) => `T${String(i).padStart(3, '0')}`);

test('the tokens of the store and of each block, in order', async () => {
  const names = await createTokenNames(storeOf(['QRT', 'ABC']));
  expect(names.few()).toEqual(['ABC', 'QRT']);
  names.apply(changes('tokens/balance/NEW/qr1', 'tokens/token/Lira', 'tokens/token/QRT', 'supply/item/1'));
  expect(names.few()).toEqual(['ABC', 'Lira', 'QRT']);
});

test('too many are not kept, from the start or from a block on', async () => {
  expect((await createTokenNames(storeOf(many(FEW_TOKENS_MAX + 1)))).few()).toBeNull();
  const names = await createTokenNames(storeOf(many(FEW_TOKENS_MAX)));
  expect(names.few()).toHaveLength(FEW_TOKENS_MAX);
  names.apply(changes('tokens/token/T000', 'tokens/token/Z', 'tokens/token/ZZ'));
  expect(names.few()).toBeNull();
  names.apply(changes('tokens/token/A'));
  expect(names.few()).toBeNull();
});
