/** A copy of this checkout in which mutants live, and the verdicts of the test runner on single tests there. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mutant } from './mutant.ts';

export const ROOT = join(import.meta.dirname, '../..');

const COPIED = ['consensus', 'ledger', 'node', 'client', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** A test of one engine that runs longer hangs, which is one way to notice a bug, but not the way of the table. */
const RUN_MS_MAX = 300_000;

export interface Sandbox {
  readonly folder: string;
  remove(): void;
}

export function sandbox(): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-mutants-'));
  for (const each of COPIED) cpSync(join(ROOT, each), join(folder, each), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs `work` while the mutant's bug is in the copy. */
export async function mutated<T>(
  { folder }: Sandbox,
  { file, find, replace }: Mutant,
  work: () => Promise<T>,
): Promise<T> {
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(find).length !== 2) throw new Error(`does not stand exactly once in ${file}: ${find}`);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
  try {
    return await work();
  } finally {
    writeFileSync(path, source);
  }
}

export interface Verdict {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
}

/** What became of the tests of `file` in the copy; of those whose title contains `title`, where it is given. */
export async function verdictOn({ folder }: Sandbox, file: string, title: string | null): Promise<Verdict> {
  const output = join(folder, 'verdict.json');
  const only = title === null ? [] : ['-t', title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')];
  const vitest = join(folder, 'node_modules/vitest/vitest.mjs');
  rmSync(output, { force: true });
  await new Promise<void>(done => {
    const args = [vitest, 'run', file, ...only, '--root', folder, '--reporter=json', `--outputFile=${output}`];
    execFile(process.execPath, args, { cwd: folder, timeout: RUN_MS_MAX }, () => done());
  });
  const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as {
    testResults: { assertionResults: { title: string; fullName: string; status: string }[] }[];
  };
  const all = testResults.flatMap(each => each.assertionResults);
  const titles = (status: string) => all.filter(each => each.status === status).map(each => each.title);
  return { passed: titles('passed'), failed: titles('failed') };
}
