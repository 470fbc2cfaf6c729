/**
 * `node build.ts [DIR]`: the package that is published, as a directory (`dist/` unless said otherwise). JavaScript and types by tsc,
 * everything else as it is, and a package.json that names no source and no tool.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';

const ROOT = import.meta.dirname;
const FOLDERS = ['consensus', 'ledger', 'node', 'client', 'cli'];
const FILES = ['README.md', 'LICENSE', 'docs'];
const PROJECT = join(ROOT, 'tsconfig.build.json');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

/** What stands in the published package.json as it does in ours. */
const FIELDS = ['name', 'version', 'description', 'license', 'type', 'engines', 'bin', 'dependencies'] as const;

type Manifest = { readonly [Field in (typeof FIELDS)[number]]: unknown } & {
  readonly imports: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

function main(target: string): number {
  if (!mayReplace(target)) {
    process.stderr.write(`error: TARGET_EXISTS: ${target} is no earlier build; name another directory, or remove it\n`);
    return 1;
  }
  // The target changes when everything has succeeded, and in one step.
  const draft = `${target}.draft`;
  rmSync(draft, { recursive: true, force: true });
  try {
    const compiled = spawnSync(process.execPath, [TSC, '--project', PROJECT, '--outDir', draft], { stdio: 'inherit' });
    if (compiled.status !== 0) return 1;
    for (const folder of FOLDERS) copyAssets(folder, draft);
    for (const file of FILES) cpSync(join(ROOT, file), join(draft, file), { recursive: true });
    const manifest = published(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest);
    writeFileSync(join(draft, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  process.stdout.write(`${target}\n`);
  return 0;
}

/** Nothing, or what an earlier build left. */
function mayReplace(target: string): boolean {
  if (!existsSync(target) || readdirSync(target).length === 0) return true;
  return existsSync(join(target, 'cli', 'main.js')) && !existsSync(join(target, 'build.ts'));
}

/** Whatever runs or is read beside the code: the first lines of the command line, documents, pages. */
function copyAssets(folder: string, target: string): void {
  cpSync(join(ROOT, folder), join(target, folder), {
    recursive: true,
    filter: path => extname(path) !== '.ts',
  });
}

/** Clients import `quorate/client/rpc`, `quorate/ledger/proof` …; the node and its engines are for the command line alone. */
function published(manifest: Manifest): object {
  const conditions = Object.entries(manifest.imports['#crypto']!);
  return {
    ...Object.fromEntries(FIELDS.map(field => [field, manifest[field]])),
    imports: { '#crypto': Object.fromEntries(conditions.map(([name, path]) => [name, path.replace(/\.ts$/, '.js')])) },
    exports: {
      './client/*': { types: './client/*.d.ts', default: './client/*.js' },
      './ledger/*': { types: './ledger/*.d.ts', default: './ledger/*.js' },
      './package.json': './package.json',
    },
  };
}

process.exitCode = main(resolve(process.argv[2] ?? join(ROOT, 'dist')));
