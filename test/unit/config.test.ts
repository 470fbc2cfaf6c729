import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { FaultError } from '../../ledger/types/errors.ts';
import { nearest } from '../../ledger/types/nearest.ts';
import { configText, loadConfig, parseConfig } from '../../node/config.ts';
import { listenFault } from '../../node/listen-fault.ts';
import { endpointText, environmentName, parseEndpoint, sections } from '../../node/settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'quorate-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

const value = (text: string, environment = {}) => {
  const config = parseConfig(text, environment);
  if (!config.ok) throw new FaultError(config.error);
  return config.value;
};

describe('what is refused', () => {
  const peers = { QUORATE_NETWORK_PEERS: 'somewhere' };
  test.each([
    ['a misspelt key', '[rpc]\n\nlistn = "127.0.0.1:1"', {}, 'CONFIG_UNKNOWN_KEY', 3, 'did you mean listen?'],
    ['a key in the wrong section', '[log]\npeers = []', {}, 'CONFIG_UNKNOWN_KEY', 2, 'known are: level'],
    ['a misspelt section', '[log]\n[netwrok]', {}, 'CONFIG_UNKNOWN_KEY', 2, 'did you mean network?'],
    ['a key outside a section', 'level = "info"', {}, 'CONFIG_UNKNOWN_KEY', 1, 'known are: network, rpc'],
    ['a section that is a value', 'rpc = 1', {}, 'CONFIG_BAD_VALUE', null, 'write [rpc]'],
    ['a list of sections', '[[rpc]]', {}, 'CONFIG_BAD_VALUE', null, 'write [rpc]'],
    ['no TOML', '[rpc]\nlisten = = 1', {}, 'CONFIG_SYNTAX', 2, 'write it as TOML'],
    ['the same key twice', '[log]\nlevel = "info"\nlevel = "warn"', {}, 'CONFIG_SYNTAX', 3, 'write it as TOML'],
    ['a key that is part of every object', '__proto__ = 1', {}, 'CONFIG_SYNTAX', 1, 'write it as TOML'],
    ['a number for a text', '[rpc]\nlisten = 7401', {}, 'CONFIG_BAD_VALUE', 2, 'a host and a port'],
    ['a port above the last', '[rpc]\nlisten = "127.0.0.1:65536"', {}, 'CONFIG_BAD_VALUE', 2, 'a host and a port'],
    ['a text for a number', '[rpc]\ncallsPerSecond = "9"', {}, 'CONFIG_BAD_VALUE', 2, 'from 1 to 1000000'],
    ['a number out of bounds', '[rpc]\ncallsPerSecond = 0', {}, 'CONFIG_BAD_VALUE', 2, 'from 1 to 1000000'],
    ['a number that is no integer', '[rpc]\nconnectionsMax = 1.5', {}, 'CONFIG_BAD_VALUE', 2, 'from 1 to 100000'],
    ['a number beyond a double', '[rpc]\ncallsPerSecond = 99999999999999999999', {}, 'CONFIG_SYNTAX', 2, 'TOML'],
    ['an unknown word', '[log]\nlevel = "loud"', {}, 'CONFIG_BAD_VALUE', 2, 'one of trace, debug'],
    ['a list with a wrong item', '[network]\npeers = ["a"]', {}, 'CONFIG_BAD_VALUE', 2, '/ip4/10.0.0.2/tcp/7400'],
    [
      'an origin with a path',
      '[rpc]\norigins = ["https://a.example/x"]',
      {},
      'CONFIG_BAD_VALUE',
      2,
      'an array of origins',
    ],
    ['an empty path', '[storage]\ndirectory = ""', {}, 'CONFIG_BAD_VALUE', 2, 'a path'],
    ['a word for a number', '[verification]\nworkers = "all"', {}, 'CONFIG_BAD_VALUE', 2, 'auto or an integer from 0'],
    ['more threads than can be meant', '[verification]\nworkers = 65', {}, 'CONFIG_BAD_VALUE', 2, 'from 0 to 64'],
    ['a misspelt variable', '', { QUORATE_RPC_LISTN: '' }, 'CONFIG_UNKNOWN_KEY', null, 'QUORATE_RPC_LISTEN?'],
    ['a variable with a wrong list', '', peers, 'CONFIG_BAD_VALUE', null, '/ip4/10.0.0.2/tcp/7400'],
    ['a variable with a wrong flag', '', { QUORATE_METRICS_ENABLED: '1' }, 'CONFIG_BAD_VALUE', null, 'true or false'],
    ['a variable with no number', '', { QUORATE_RPC_CALLS_PER_SECOND: '1e3' }, 'CONFIG_BAD_VALUE', null, 'from 1 to'],
  ])('%s', (_what, text, environment, code, line, hint) => {
    const config = parseConfig(text, environment, '/home/config.toml');
    expect(config.ok).toBe(false);
    const { error } = config as Extract<typeof config, { ok: false }>;
    expect(error.code).toBe(code);
    expect(error.data?.line ?? null).toBe(line);
    expect(error.hint).toContain(hint);
    expect(error.message).toContain(Object.keys(environment).length > 0 ? 'environment' : '/home/config.toml');
  });

  test('a file that is not there', () => {
    const load = () => loadConfig(join(directory, 'none.toml'), {});
    expect(load).toThrowError(expect.objectContaining({ code: 'CONFIG_MISSING' }));
  });

  test('a directory in place of the file', () => {
    expect(() => loadConfig(directory, {})).toThrowError(expect.objectContaining({ code: 'CONFIG_UNREADABLE' }));
  });
});

describe('what is accepted', () => {
  test('nothing at all: every key has a default', () => {
    const config = value('');
    expect(config.rpc.listen).toEqual({ host: '127.0.0.1', port: 7401 });
    expect(config.network).toEqual({ listen: { host: '127.0.0.1', port: 7400 }, peers: [] });
    expect(config.storage.directory).toBe('data');
  });

  test('every key, from the file', () => {
    const path = join(directory, 'config.toml');
    writeFileSync(path, '[rpc]\nlisten = "[::1]:0"\nhosts = ["node0"]\n\n[metrics]\nenabled = false\n');
    const config = loadConfig(path, {});
    expect(config.rpc).toMatchObject({ listen: { host: '::1', port: 0 }, hosts: ['node0'], origins: [] });
    expect(config.metrics.enabled).toBe(false);
  });

  test('every key, from the environment, over the file', () => {
    const environment = {
      QUORATE_RPC_LISTEN: '0.0.0.0:80',
      QUORATE_NETWORK_PEERS: '/ip4/10.0.0.1/tcp/7400, /dns4/node1/tcp/7400',
      QUORATE_RPC_LIMIT_LOOPBACK: 'true',
      QUORATE_RPC_CALLS_PER_SECOND: '5',
      // Not of this file: the command line's own, and somebody else's.
      QUORATE_RPC: 'http://127.0.0.1:7401',
      QUORATE_HOME: '/home',
      HOME: '/home',
    };
    const config = value('[rpc]\nlisten = "127.0.0.1:1"\ncallsPerSecond = 7', environment);
    expect(config.rpc).toMatchObject({ listen: { host: '0.0.0.0', port: 80 }, limitLoopback: true, callsPerSecond: 5 });
    expect(config.network.peers).toEqual(['/ip4/10.0.0.1/tcp/7400', '/dns4/node1/tcp/7400']);
  });

  test('a number of threads, or what suits the machine', () => {
    const workers = (text: string, variable?: string) =>
      value(text, { QUORATE_VERIFICATION_WORKERS: variable }).verification.workers;
    expect(workers('')).toBe('auto');
    expect(workers('[verification]\nworkers = "auto"')).toBe('auto');
    expect(workers('[verification]\nworkers = 0')).toBe(0);
    expect(workers('[verification]\nworkers = 0', '3')).toBe(3);
    expect(workers('[verification]\nworkers = 0', 'auto')).toBe('auto');
  });

  test('what configText wrote', () => {
    const text = configText({ network: { peers: ['/ip4/127.0.0.1/tcp/1'] }, rpc: { listen: '127.0.0.1:9' } });
    expect(value(text)).toMatchObject({
      network: { peers: ['/ip4/127.0.0.1/tcp/1'] },
      rpc: { listen: { host: '127.0.0.1', port: 9 } },
    });
    expect(() => configText({ rpc: { listen: 'nowhere' } })).toThrowError(
      expect.objectContaining({ code: 'CONFIG_BAD_VALUE' }),
    );
  });

  test('endpoints, which are written as they were read', () => {
    for (const text of ['127.0.0.1:7401', '[::1]:0', 'localhost:65535', 'node-0.example:1'])
      expect(endpointText(parseEndpoint(text)!)).toBe(text);
    for (const text of ['', ':1', '::1:1', '[::g]:1', '[127.0.0.1]:1', 'a b:1', 'host', 'host:', 'host:123456'])
      expect(parseEndpoint(text), text).toBeNull();
  });

  test('any text ends in a configuration or a coded fault', () => {
    const line = fc.oneof(
      fc.constantFrom('[rpc]', '[network]', 'listen = "127.0.0.1:1"', 'peers = []', 'rpc.listen = "x:1"', '[log', '"'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line), lines => {
        const config = parseConfig(lines.join('\n'), {});
        if (!config.ok) expect(config.error.code).toMatch(/^CONFIG_/);
      }),
    );
  });
});

describe('a port that cannot be had', () => {
  test('names the key to change', async () => {
    const first = createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => first.once('listening', resolve));
    const { port } = first.address() as { port: number };
    const second = createServer().listen(port, '127.0.0.1');
    const error = await new Promise(resolve => second.once('error', resolve));
    first.close();
    expect(listenFault(error, 'rpc', `127.0.0.1:${port}`)).toEqual({
      code: 'PORT_IN_USE',
      message: `127.0.0.1:${port} is in use by another process`,
      hint: 'change rpc.listen in config.toml, or set QUORATE_RPC_LISTEN',
      data: { key: 'rpc.listen', endpoint: `127.0.0.1:${port}` },
    });
    expect(listenFault(new Error('another'), 'rpc', 'x')).toBeNull();
    expect(listenFault(null, 'rpc', 'x')).toBeNull();
  });
});

test('the reference in docs/config.md is the table of settings', () => {
  const rows = [...sections].flatMap(([section, settings]) =>
    [...settings].map(
      ([key, { accepts, initial, summary }]) =>
        `| \`${section}.${key}\` | \`${environmentName(section, key)}\` | ${accepts} | \`${JSON.stringify(initial)}\` | ${summary} |`,
    ),
  );
  const document = readFileSync(join(import.meta.dirname, '../../docs/config.md'), 'utf8');
  expect(document.match(/^\| `.*$/gm)).toEqual(rows);
});

describe('the nearest known word', () => {
  test.each([
    ['listn', 'listen'],
    ['lisetn', 'listen'],
    ['LISTEN', 'listen'],
    ['peer', 'peers'],
    ['orgins', 'origins'],
    ['x', null],
    ['', null],
    ['a'.repeat(65), null],
    ['completely-different', null],
  ])('of %j is %j', (word, meant) => {
    expect(nearest(word, ['listen', 'peers', 'origins'])).toBe(meant);
  });
});
