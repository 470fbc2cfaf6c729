import { expect, it } from 'vitest';
import { MUTANTS, rowText, tryAll } from './table.ts';

it('every mutant is caught by its test, which passes without it', async () => {
  const rows = await tryAll(MUTANTS, row => process.stdout.write(`${rowText(row)}\n`));
  expect(rows.filter(each => !each.sound || !each.killed).map(rowText)).toEqual([]);
});
