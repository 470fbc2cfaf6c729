import { execFileSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { walletFromMnemonic } from '../../client/wallet/wallet.ts';
import { VERIFY_BATCHES_PER_WORKER } from '../../node/limits.ts';

const ROOT = join(import.meta.dirname, '../..');
const SOURCE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const WORDS = `${'abandon '.repeat(23)}art`;

/** Loads as a browser's bundler would: without the condition `node`, and without anything that Node alone has. */
const BROWSER = `
import { registerHooks } from 'node:module';
const conditions = ['browser', 'import', 'default'];
globalThis.chosen = new Set();
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, { ...context, conditions });
    if (found.url.startsWith('node:')) throw new Error(context.parentURL + ' needs ' + specifier);
    if (specifier === '#crypto') chosen.add(found.url.split('/').at(-1));
    return found;
  },
});
`;

let work: string;
let installed: string;

/** The package as somebody gets it: built, packed and unpacked in another place, beside its dependencies. */
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'quorate-package-'));
  execFileSync(process.execPath, ['build.ts', join(work, 'dist')], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', work], {
    cwd: join(work, 'dist'),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  mkdirSync(join(work, 'app'));
  execFileSync('tar', ['-xzf', join(work, `quorate-${SOURCE.version}.tgz`), '-C', join(work, 'app')]);
  symlinkSync(join(ROOT, 'node_modules'), join(work, 'app', 'node_modules'));
  installed = join(work, 'app', 'package');
}, 300_000);

afterAll(() => rmSync(work, { recursive: true, force: true }));

const files = () => globSync('**/*', { cwd: installed }).filter(each => statSync(join(installed, each)).isFile());

function quorate(args: readonly string[]): string {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('QUORATE_'));
  return execFileSync(process.execPath, [join(installed, SOURCE.bin.quorate), ...args], {
    cwd: join(work, 'app'),
    encoding: 'utf8',
    env: { ...Object.fromEntries(inherited), QUORATE_PASSPHRASE: 'correct horse' },
  });
}

const run = (code: string) =>
  execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: installed,
    encoding: 'utf8',
    stdio: 'pipe',
  });

describe('what is in it', () => {
  it('holds code, documents and events, and no source or tool', () => {
    const names = files();
    expect(names).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'docs/protocol.md', 'cli/quorate.js']));
    expect(names.filter(each => each.endsWith('.jsonld'))).toHaveLength(
      globSync('cli/demo/events/*.jsonld', { cwd: ROOT }).length,
    );
    expect(names.filter(each => /\.ts$/.test(each) && !each.endsWith('.d.ts'))).toEqual([]);
    expect(names.filter(each => /^(test|node_modules)\/|tsconfig|biome|vitest/.test(each))).toEqual([]);
  });

  it('says what it needs and nothing of how it is made', () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    const { devDependencies, scripts, private: kept, allowScripts, ...rest } = manifest;
    expect([devDependencies, scripts, kept, allowScripts]).toEqual([undefined, undefined, undefined, undefined]);
    expect(rest.dependencies).toEqual(SOURCE.dependencies);
    for (const path of [...Object.values<string>(rest.bin), ...Object.values<string>(rest.imports['#crypto'])])
      expect(existsSync(join(installed, path)), path).toBe(true);
  });

  it('imports only what it depends on', () => {
    const allowed = new Set([...Object.keys(SOURCE.dependencies), '#crypto']);
    for (const file of files().filter(each => each.endsWith('.js'))) {
      const code = readFileSync(join(installed, file), 'utf8');
      for (const [, specifier] of code.matchAll(/^(?:import|(?:import|export)\b[^'"]* from) ['"]([^'"]+)['"];?$/gm)) {
        if (specifier!.startsWith('.')) expect(specifier, file).toMatch(/\.js$/);
        else if (!specifier!.startsWith('node:') && !builtinModules.includes(specifier!))
          expect(allowed, `${file} imports ${specifier}`).toContain(/^(@[^/]+\/)?[^/]+/.exec(specifier!)![0]);
      }
    }
  });
});

/** `npm ci` refuses a lock file that leaves out a platform's package, on every platform. */
it('locks every package that another one names', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const found = (from: string, name: string): boolean => {
    if (`${from && `${from}/`}node_modules/${name}` in packages) return true;
    return from !== '' && found(from.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, ''), name);
  };
  for (const [path, { dependencies, optionalDependencies }] of Object.entries<Record<string, object>>(packages))
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies }))
      expect(found(path, name), `${path || 'the package'} needs ${name}`).toBe(true);
});

it('finds the file of the threads that verify', () => {
  // Threads take over the options of their process, and code on the command line is none that they could run.
  const program = join(work, 'app', 'threads.mjs');
  writeFileSync(
    program,
    `import { startVerificationPool } from './package/node/network/verification-pool.js';
    const pool = await startVerificationPool(2, fault => { throw fault; });
    process.stdout.write(String(pool.places()));
    await pool.stop();`,
  );
  const places = execFileSync(process.execPath, [program], { encoding: 'utf8' });
  expect(Number(places)).toBe(2 * VERIFY_BATCHES_PER_WORKER);
});

describe('the command line', () => {
  it('says who it is and what it can', () => {
    expect(quorate(['--version']).trim()).toBe(SOURCE.version);
    expect(quorate(['--help'])).toMatch(/^ {2}network\b/m);
  });

  it('makes a wallet', () => {
    const { address, file } = JSON.parse(
      quorate(['wallet', 'create', 'carol', '--home', join(work, 'home'), '--json']),
    );
    expect(address).toMatch(/^qr1/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

describe('the client library', () => {
  const derive = `
    const { walletFromMnemonic } = await import('quorate/client/wallet/wallet');
    const { rpcClient } = await import('quorate/client/rpc');
    const { submitUntilFinal } = await import('quorate/client/submit');
    const { verifyProof } = await import('quorate/ledger/proof');
    const { transfer } = await import('quorate/ledger/modules/tokens/transfer');
    const wallet = await walletFromMnemonic(${JSON.stringify(WORDS)});
    process.stdout.write(JSON.stringify({
      address: wallet.value.address,
      chosen: [...(globalThis.chosen ?? [])],
      functions: [rpcClient, submitUntilFinal, verifyProof, transfer.apply].map(each => typeof each),
    }));`;

  it('derives the same wallet in a browser, with the portable cryptography and without Node', async () => {
    const expected = await walletFromMnemonic(WORDS);
    const address = expected.ok && expected.value.address;
    const functions = Array(4).fill('function');
    expect(JSON.parse(run(BROWSER + derive))).toEqual({ address, chosen: ['portable.js'], functions });
    expect(JSON.parse(run(derive))).toEqual({ address, chosen: [], functions });
  });

  it('keeps the inside of the node to itself', () => {
    expect(() => run(`await import('quorate/node/node')`)).toThrow(/ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });
});
