import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const documents = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter(path => path !== '' && existsSync(join(ROOT, path)));

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');

/** The anchors of a document's headings, as code hosts make them. */
const anchorsOf = (path: string): string[] =>
  [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^a-z0-9 _-]/g, '')
      .replaceAll(' ', '-'),
  );

test.each(documents)('%s links to what there is', path => {
  for (const [, link] of read(path).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(link!)) continue;
    const [file, anchor] = link!.split('#');
    const target = file === '' ? path : relative(ROOT, join(ROOT, dirname(path), file!));
    expect(existsSync(join(ROOT, target)), link).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(target), link).toContain(anchor);
  }
});

test('every decision is in the index, under its own title', () => {
  const index = [...read('docs/decisions/README.md').matchAll(/^\| \[(\d+)\]\((\S+)\) \| (.+) \|$/gm)];
  const titles = documents
    .filter(path => /^docs\/decisions\/\d{4}-/.test(path))
    .map(path => [path.slice('docs/decisions/'.length), /^# (\d+)\. (.+)$/m.exec(read(path))!] as const);
  expect(index.map(([, number, file, title]) => [file, number, title])).toEqual(
    titles.map(([file, [, number, title]]) => [file, number, title]),
  );
  expect(titles.map(([file]) => Number(file.slice(0, 4)))).toEqual(titles.map((_, i) => i + 1));
});
