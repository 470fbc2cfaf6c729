import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The files of this checkout that are its own: tracked, or new and not ignored. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter(path => path !== '' && existsSync(join(ROOT, path)));
const sources = files.filter(path => path.endsWith('.ts'));
const product = sources.filter(path => /^(consensus|ledger|node|client|cli|explorer)\//.test(path));

const withoutComments = (source: string) => source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

/** What a file imports: paths from the root for our own files, package names for everything else. */
function importsOf(path: string): string[] {
  const specifiers = [...withoutComments(read(path)).matchAll(/(?<![.\w])(?:from|import)\s*\(?\s*'([^'\s]+)'/g)].map(
    match => match[1]!,
  );
  return specifiers.map(specifier =>
    specifier.startsWith('.') ? relative(ROOT, join(ROOT, dirname(path), specifier)) : specifier,
  );
}

const isOwn = (specifier: string) => /^(consensus|ledger|node|client|cli|test|explorer)\//.test(specifier);
const isBuiltin = (specifier: string) => specifier.startsWith('node:') || builtinModules.includes(specifier);

/** Who may import what; the first rule whose folder contains the file holds. */
const RULES: readonly { folder: string; own: RegExp; packages: RegExp }[] = [
  { folder: 'ledger/types/', own: /^ledger\/types\//, packages: /^$/ },
  {
    folder: 'ledger/crypto/native.ts',
    own: /^ledger\/(types|crypto)\//,
    packages: /^(node:crypto|sodium-native|@noble\/(curves|hashes)\/.+)$/,
  },
  { folder: 'ledger/crypto/portable.ts', own: /^ledger\/(types|crypto)\//, packages: /^@noble\/(curves|hashes)\/.+$/ },
  { folder: 'ledger/crypto/', own: /^ledger\/(types|crypto)\//, packages: /^#crypto$/ },
  { folder: 'ledger/', own: /^ledger\//, packages: /^#crypto$/ },
  { folder: 'consensus/', own: /^(consensus|ledger\/types)\//, packages: /^$/ },
  {
    folder: 'client/',
    own: /^(client|ledger)\//,
    packages: /^(#crypto|@noble\/(curves|hashes|ciphers)\/.+|@scure\/(bip39|base)(\/.+)?)$/,
  },
  { folder: 'node/', own: /^(node|consensus|ledger)\//, packages: /./ },
  { folder: 'cli/', own: /^(cli|client|node|ledger)\//, packages: /./ },
];

/** One library for each adapter: the only file that may import it. */
const ADAPTERS: readonly { library: RegExp; file: RegExp }[] = [
  { library: /^(libp2p|@libp2p\/.+|@multiformats\/.+|it-.+|uint8arraylist)$/, file: /^node\/network\/libp2p\.ts$/ },
  { library: /^(level|classic-level|abstract-level)$/, file: /^node\/storage\/level\.ts$/ },
  { library: /^sodium-native$/, file: /^ledger\/crypto\/native\.ts$/ },
  { library: /^pino$/, file: /^node\/log\.ts$/ },
  { library: /^prom-client$/, file: /^node\/metrics\.ts$/ },
  { library: /^(fastify|@fastify\/.+)$/, file: /^node\/rpc\// },
  { library: /^smol-toml$/, file: /^(node\/config|cli\/)/ },
];

describe('who may import whom', () => {
  it.each(product)('%s', path => {
    const rule = RULES.find(each => path.startsWith(each.folder));
    expect(rule, 'a folder without a rule').toBeDefined();
    for (const specifier of importsOf(path)) {
      const allowed = isOwn(specifier) ? rule!.own : rule!.packages;
      expect(specifier, `${path} may not import ${specifier}`).toMatch(allowed);
      const adapter = ADAPTERS.find(each => each.library.test(specifier));
      if (adapter) expect(path, `${specifier} has its own file`).toMatch(adapter.file);
    }
  });

  it('lets no engine import another', () => {
    const engine = (path: string) => /^consensus\/(pbft|pos|raft|paxos|pow|solo)\//.exec(path)?.[1];
    for (const path of product.filter(engine)) {
      for (const specifier of importsOf(path)) {
        if (engine(specifier)) expect(engine(specifier), `${path} imports ${specifier}`).toBe(engine(path));
      }
    }
  });

  it('keeps the client free of the ledger beyond encoding, signing and proving', () => {
    const allowed = /^(client\/|ledger\/(types|crypto|modules|proof|state)\/|ledger\/(proof|certificate)[^/]*\.ts$)/;
    for (const path of product.filter(each => each.startsWith('client/'))) {
      for (const specifier of importsOf(path).filter(isOwn)) expect(specifier, path).toMatch(allowed);
    }
  });

  it('lets the command line into the node by its public entries only', () => {
    const entries = /^node\/(node|verify|keys|entropy|config|engines|network\/address)\.ts$/;
    for (const path of product.filter(each => each.startsWith('cli/'))) {
      for (const specifier of importsOf(path).filter(each => each.startsWith('node/'))) {
        expect(specifier, path).toMatch(entries);
      }
    }
  });
});

/** What would make two nodes disagree, or one node differ from its replay. */
const BANNED: readonly [string, RegExp][] = [
  ['a clock', /\b(Date|performance|hrtime)\b/],
  ['a timer', /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ['entropy', /\bMath\.random\b|\bcrypto\.|\bgetRandomValues\b|\brandomBytes\b/],
  ['the process', /\bprocess\b|\bglobalThis\b|\bBuffer\b/],
  ['asynchrony', /\basync\b|\bawait\b|\bPromise\b/],
  ['a locale', /\blocaleCompare\b|\bIntl\b|\btoLocale\w+\b/],
  ['sort without a comparator', /\.(sort|toSorted)\(\)/],
  ['collection that depends on the garbage collector', /\b(WeakRef|FinalizationRegistry)\b/],
];

describe('determinism', () => {
  const pure = product.filter(
    path => /^(consensus|ledger)\//.test(path) && !/^ledger\/crypto\/(native|portable)\.ts$/.test(path),
  );

  it.each(pure)('%s', path => {
    const code = withoutComments(read(path))
      .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
      .replace(/`[^`$]*`/g, '``');
    for (const [name, pattern] of BANNED) expect(code, `${name} in a pure file`).not.toMatch(pattern);
    for (const specifier of importsOf(path)) expect(isBuiltin(specifier), specifier).toBe(false);
  });

  it('hashes no JSON', () => {
    for (const path of pure) expect(withoutComments(read(path)), path).not.toMatch(/JSON\.stringify/);
  });
});

describe('the house', () => {
  it('has one noun for each file, in kebab-case', () => {
    for (const path of sources) expect(path.split('/').at(-1)).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.ts$/);
    for (const path of product) expect(path).not.toMatch(/\b(utils?|helpers?|manager|misc|common)\b/);
  });

  it('keeps files short enough to read', () => {
    const long = product.filter(path => read(path).split('\n').length > 501);
    expect(long).toEqual([]);
  });

  it('leaves nothing half done', () => {
    for (const path of product) {
      expect(read(path), path).not.toMatch(/\b(TODO|FIXME|XXX)\b|not implemented|\bconsole\./);
    }
    for (const path of sources.filter(each => each.startsWith('test/') && each !== 'test/tidy.test.ts')) {
      expect(read(path), path).not.toMatch(/\b(it|test|describe)\.(only|skip|todo)\(/);
    }
  });

  it('records a decision for each dependency', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    const decisions = files
      .filter(path => path.startsWith('docs/decisions/'))
      .map(read)
      .join('\n');
    for (const name of Object.keys(dependencies))
      expect(decisions, `no decision names ${name}`).toContain(`\`${name}\``);
  });
});

describe('the code map of README.md', () => {
  const rows = [...read('README.md').matchAll(/^\|[^|]+\| `([^`]+\.ts)` \| `([\w.]+)` \|$/gm)];

  it('names functions', () => {
    expect(rows.length).toBeGreaterThanOrEqual(8);
  });

  it.each(rows.map(row => [row[1]!, row[2]!] as const))('%s has %s', (path, name) => {
    expect(read(path)).toMatch(
      new RegExp(`^\\s*(export )?(async )?(function |const )${name}\\b|^\\s+${name}[(:]`, 'm'),
    );
  });
});
