/** Breaks each rule in turn and looks whether its test notices; `node test/mutants/table.ts` writes down the result. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAXOS_MUTANTS, RAFT_MUTANTS } from './crash-engines.ts';
import type { Mutant } from './mutant.ts';
import { PBFT_MUTANTS } from './pbft.ts';
import { POS_MUTANTS } from './pos.ts';
import { POW_MUTANTS } from './pow.ts';
import { mutated, ROOT, type Sandbox, sandbox, verdictOn } from './sandbox.ts';

export const MUTANTS: readonly Mutant[] = [
  ...PBFT_MUTANTS,
  ...POS_MUTANTS,
  ...POW_MUTANTS,
  ...RAFT_MUTANTS,
  ...PAXOS_MUTANTS,
];

export interface Row {
  readonly mutant: Mutant;
  /** The test passes without the bug. */
  readonly sound: boolean;
  /** The test fails with it. */
  readonly killed: boolean;
}

/** Tries `mutants` one after the other. `onRow` hears of each at once. */
export async function tryAll(mutants: readonly Mutant[], onRow: (row: Row) => void = () => {}): Promise<Row[]> {
  const copy = sandbox();
  try {
    const passing = await passingTests(copy, mutants);
    const rows: Row[] = [];
    for (const mutant of mutants) {
      const { file, test } = mutant.killedBy;
      const { failed } = await mutated(copy, mutant, () => verdictOn(copy, file, test));
      const row = { mutant, sound: passing.get(file)!.includes(test), killed: failed.includes(test) };
      onRow(row);
      rows.push(row);
    }
    return rows;
  } finally {
    copy.remove();
  }
}

/** The titles that pass in each file while nothing is broken. */
async function passingTests(copy: Sandbox, mutants: readonly Mutant[]): Promise<Map<string, readonly string[]>> {
  const passing = new Map<string, readonly string[]>();
  for (const file of new Set(mutants.map(each => each.killedBy.file))) {
    passing.set(file, (await verdictOn(copy, file, null)).passed);
  }
  return passing;
}

const BEGIN = '<!-- mutants: begin (written by test/mutants/table.ts) -->';
const END = '<!-- mutants: end -->';
const PAGE = join(ROOT, 'docs/verification.md');

export const rowText = ({ mutant, sound, killed }: Row): string => {
  const { engine, name, file, killedBy } = mutant;
  const verdict = sound && killed ? 'caught' : sound ? 'NOT CAUGHT' : 'TEST FAILS BY ITSELF';
  return `| ${engine} | ${name} | \`${file}\` | \`${killedBy.file}\`: ${killedBy.test} | ${verdict} |`;
};

/** The page with the table of `rows` between its markers. */
export function withTable(page: string, rows: readonly Row[]): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('the page has no place for the table');
  const caught = rows.filter(each => each.sound && each.killed).length;
  const lines = [
    `${caught} of ${rows.length} are caught.`,
    '',
    '| engine | what it does wrong | in | the test that fails | |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(rowText),
  ];
  return `${page.slice(0, begin + BEGIN.length)}\n\n${lines.join('\n')}\n\n${page.slice(end)}`;
}

if (import.meta.main) {
  const rows = await tryAll(MUTANTS, row => process.stdout.write(`${rowText(row)}\n`));
  writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), rows));
  if (!rows.every(each => each.sound && each.killed)) process.exitCode = 1;
}
