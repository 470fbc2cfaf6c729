import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './sandbox.ts';
import { MUTANTS, withTable } from './table.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe('every mutant', () => {
  it.each(MUTANTS)('$engine: $name', ({ file, find, replace, killedBy }) => {
    expect(read(file).split(find).length - 1, `occurrences of: ${find}`).toBe(1);
    expect(replace).not.toBe(find);
    expect(read(killedBy.file)).toContain(killedBy.test.slice(0, 12));
  });

  it('has a name of its own', () => {
    expect(new Set(MUTANTS.map(each => `${each.engine} ${each.name}`)).size).toBe(MUTANTS.length);
  });

  it('stands in the table of docs/verification.md, as caught', () => {
    const page = read('docs/verification.md');
    const rows = MUTANTS.map(mutant => ({ mutant, sound: true, killed: true }));
    expect(withTable(page, rows), 'run: node test/mutants/table.ts').toBe(page);
  });
});
