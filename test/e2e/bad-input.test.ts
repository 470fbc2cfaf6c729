import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runningPid } from '../../cli/network/process.ts';
import { spawned } from '../unit/cli/run.ts';
import { refusal, type, type UserNetwork, userNetwork } from './command-line.ts';

let network: UserNetwork;
let treasury = '';

beforeAll(async () => {
  network = await userNetwork(1);
  treasury = await balances();
}, 300_000);

afterAll(async () => {
  // Whatever was asked of it, the node still runs, and nothing was done by halves.
  expect(runningPid(network.homes[0]!)).not.toBeNull();
  expect(await balances()).toBe(treasury);
  expect(await rpc('mempool_getStatus', {})).toMatchObject({ result: { transactions: 0 } });
  await network.close();
}, 120_000);

const url = () => network.urls[0]!;
const at = () => ['--rpc', url(), '--home', network.directory];
const signing = () => ['--passphrase-file', network.passphraseFile];
const payment = (amount = '1') => ['wallet', 'send', 'treasury', '--to', 'org0', '--amount', amount, '--token', 'QRT'];

async function balances(): Promise<string> {
  const shown = [];
  for (const name of ['treasury', 'org0'])
    shown.push((await type(['wallet', 'balance', name, '--json', ...at()])).json<{ balances: object }>().balances);
  return JSON.stringify(shown);
}

async function rpc(method: string, params: object): Promise<Record<string, unknown>> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const answer = await fetch(url(), { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return (await answer.json()) as Record<string, unknown>;
}

type Genesis = { readonly validators: readonly Record<string, unknown>[] } & Readonly<Record<string, unknown>>;

/** What is different in a home from that of the running node. */
interface Changes {
  config?(text: string): string;
  genesis?(genesis: Genesis): object;
}

/** A home like that of the running node, with other files and without its data. */
function copiedHome(name: string, { config, genesis }: Changes): string {
  const home = join(network.scratch, name.replaceAll(' ', '-'));
  cpSync(network.homes[0]!, home, { recursive: true, filter: path => !/\/(data|node\.(log|pid))$/.test(path) });
  const rewrite = (file: string, change: (text: string) => string) =>
    writeFileSync(join(home, file), change(readFileSync(join(home, file), 'utf8')));
  if (config) rewrite('config.toml', config);
  if (genesis) rewrite('genesis.json', text => JSON.stringify(genesis(JSON.parse(text))));
  return home;
}

const dataOfAnother = () => `\n[storage]\ndirectory = ${JSON.stringify(join(network.homes[0]!, 'data'))}\n`;
const anyPort = (text: string) => text.replace(/127\.0\.0\.1:\d+"/g, '127.0.0.1:0"');

/** What a home must not hold is told apart in the tests of config and genesis; here is what a start does about it. */
describe('a node that is set up wrongly does not start', () => {
  const start = (home: string) => refusal(['node', 'start', '--home', home], 1, spawned);

  it.each<[string, string, Changes]>([
    ['a misspelt key', 'CONFIG_UNKNOWN_KEY', { config: text => text.replace('listen', 'lisen') }],
    ['ports in use', 'PORT_IN_USE', {}],
    ['data in use', 'DATA_DIRECTORY_IN_USE', { config: text => anyPort(text) + dataOfAnother() }],
    [
      'a validator twice',
      'GENESIS_DUPLICATE',
      { genesis: it => ({ ...it, validators: [...it.validators, ...it.validators] }) },
    ],
    ['an unknown engine', 'GENESIS_', { genesis: it => ({ ...it, consensus: { engine: 'pbtf' } }) }],
  ])(
    '%s: %s',
    async (name, code, changes) => {
      const home = copiedHome(name, changes);
      expect(await start(home)).toContain(code);
      expect(existsSync(join(home, 'node.pid'))).toBe(false);
      expect(runningPid(network.homes[0]!)).not.toBeNull();
    },
    60_000,
  );

  it('the data of another network: WRONG_GENESIS', async () => {
    const first = copiedHome('first', {});
    // It opens the data directory as a start does, and makes it.
    expect((await type(['node', 'verify', '--home', first])).code).toBe(0);
    const second = copiedHome('second', { genesis: it => ({ ...it, chainId: 'another-chain' }) });
    cpSync(join(first, 'data'), join(second, 'data'), { recursive: true });
    expect(await start(second)).toBe('WRONG_GENESIS');
    expect(await refusal(['node', 'verify', '--home', second])).toBe('WRONG_GENESIS');
  }, 60_000);

  it('a home that runs already: NODE_RUNNING', async () => {
    expect(await start(network.homes[0]!)).toBe('NODE_RUNNING');
    expect(await refusal(['node', 'verify', '--home', network.homes[0]!])).toBe('NODE_RUNNING');
  }, 60_000);
});

describe('a command that is typed wrongly does nothing', () => {
  it.each<[string, string, number, () => string[]]>([
    ['no command', 'USAGE', 2, () => []],
    ['a misspelt command', 'USAGE', 2, () => ['netwrok', 'up']],
    ['an unknown option', 'USAGE', 2, () => ['network', 'up', network.directory, '--fast']],
    ['too many validators', 'USAGE', 2, () => ['network', 'create', '--validators', '101', '--out', out()]],
    ['no validators', 'USAGE', 2, () => ['network', 'create', '--validators', '0', '--out', out()]],
    ['another engine', 'USAGE', 2, () => ['network', 'create', '--engine', 'raft2', '--out', out()]],
    ['a bad chain id', 'GENESIS_BAD_VALUE', 1, () => ['network', 'create', '--chain-id', 'No Chain', '--out', out()]],
    ['a directory that is there', 'NETWORK_EXISTS', 1, () => ['network', 'create', '--out', network.directory]],
    ['no network there', 'NETWORK_MISSING', 1, () => ['network', 'up', network.scratch]],
    ['a wrong passphrase', 'WRONG_PASSPHRASE', 1, () => [...payment(), ...at(), '--passphrase-file', wrong()]],
    ['an empty passphrase', 'PASSPHRASE_EMPTY', 1, () => [...payment(), ...at(), '--passphrase-file', wrong('\n')]],
    ['no passphrase and no terminal', 'PASSPHRASE_MISSING', 1, () => [...payment(), ...at()]],
    ['a wallet that there is not', 'WALLET_MISSING', 1, () => ['wallet', 'show', 'tresury', ...at()]],
    ['a wallet that is there', 'WALLET_EXISTS', 1, () => ['wallet', 'create', 'treasury', ...at(), ...signing()]],
    ['a digit too many', 'AMOUNT_TOO_PRECISE', 1, () => [...payment('1.001'), ...at(), ...signing()]],
    ['more than there is', 'INSUFFICIENT_BALANCE', 1, () => [...payment('9999999'), ...at(), ...signing()]],
    ['a token that there is not', 'UNKNOWN_TOKEN', 1, () => [...payment().with(-1, 'qrt'), ...at(), ...signing()]],
    ['an address with a slip', 'USAGE', 2, () => [...payment().with(4, 'qr1qqqq'), ...at(), ...signing()]],
    ['an id that is none', 'USAGE', 2, () => ['tx', 'get', 'abc', ...at()]],
    ['an id of nothing', 'NOT_FOUND', 1, () => ['tx', 'get', '00'.repeat(32), ...at()]],
    ['a proof of nothing', 'NOT_FOUND', 1, () => ['tx', 'proof', '00'.repeat(32), '--out', out(), ...at()]],
    ['a wait for nothing', 'NOT_FINAL_YET', 1, () => ['tx', 'wait', '00'.repeat(32), '--timeout', '1s', ...at()]],
    ['a block that is not there yet', 'NOT_FOUND', 1, () => ['block', 'get', '999999', ...at()]],
    ['a file that is not there', 'ENOENT', 1, () => ['tx', 'submit', join(network.scratch, 'nothing.json'), ...at()]],
    ['a file that is no transaction', 'TRANSACTION_FILE_DAMAGED', 1, () => ['tx', 'submit', wrong(), ...at()]],
    ['a file that is no proof', 'PROOF_', 1, () => ['verify', wrong(), '--genesis', network.genesis]],
    ['a genesis that is none', 'GENESIS_', 1, () => ['verify', wrong(), '--genesis', wrong()]],
  ])(
    '%s: %s, exit code %i',
    async (_what, code, exitCode, args) => {
      expect(await refusal(args(), exitCode)).toContain(code);
      expect(existsSync(out())).toBe(false);
      expect(readdirSync(network.scratch).filter(each => each.endsWith('.draft'))).toEqual([]);
    },
    60_000,
  );

  const out = () => join(network.scratch, 'not-made');
  function wrong(text = 'not the right one\n'): string {
    const file = join(network.scratch, `wrong-${text.length}`);
    writeFileSync(file, text);
    return file;
  }
});

describe('a transaction that cannot be recorded is refused', () => {
  /** Signs without sending; the base64 of the transaction. */
  async function sign(name: string, ...options: string[]): Promise<{ file: string; tx: string }> {
    const file = join(network.scratch, `${name}.json`);
    await type([...payment(), ...options, ...signing(), '--home', network.directory, '--offline', file]).then(ran =>
      expect(ran.stderr).toBe(''),
    );
    return { file, tx: JSON.parse(readFileSync(file, 'utf8')).tx };
  }

  /** What the node says, and what the command line says of the same. */
  async function expectRefused(tx: string, number: number, code: string): Promise<void> {
    const answer = await rpc('tx_submit', { tx });
    expect(answer).toMatchObject({ error: { code: number, data: { code, hint: expect.stringMatching(/./) } } });
    const file = join(network.scratch, 'refused.txt');
    writeFileSync(file, tx);
    expect([code, 'TRANSACTION_FILE_DAMAGED']).toContain(await refusal(['tx', 'submit', file, ...at()]));
  }

  it('for another chain', async () => {
    const genesis = join(network.scratch, 'elsewhere.json');
    const text = readFileSync(network.genesis, 'utf8');
    writeFileSync(genesis, JSON.stringify({ ...JSON.parse(text), chainId: 'elsewhere' }));
    const { tx } = await sign('elsewhere-payment', '--genesis', genesis);
    await expectRefused(tx, -32010, 'WRONG_CHAIN');
  }, 60_000);

  it('expired', async () => {
    const { tx } = await sign('expired', '--genesis', network.genesis, '--valid-for', '1s');
    await sleep(1_500);
    await expectRefused(tx, -32003, 'EXPIRED');
  }, 60_000);

  it('valid for too long', async () => {
    const { tx } = await sign('too-long', '--genesis', network.genesis, '--valid-for', '365d');
    await expectRefused(tx, -32003, 'BEYOND_WINDOW');
  }, 60_000);

  it('encoded in another way, or damaged', async () => {
    const { tx } = await sign('damaged', '--genesis', network.genesis);
    const bytes = Buffer.from(tx, 'base64');
    const longer = Buffer.concat([bytes, Buffer.of(0)]).toString('base64');
    await expectRefused(longer, -32602, 'MALFORMED_TRANSACTION');
    await expectRefused(bytes.subarray(0, -1).toString('base64'), -32602, 'MALFORMED_TRANSACTION');
    const forged = Buffer.from(bytes);
    forged[forged.length - 1]! ^= 0x01;
    await expectRefused(forged.toString('base64'), -32002, 'BAD_SIGNATURE');
    // Base64 has one spelling, and a call only the parameters that it knows.
    for (const params of [{ tx: `${tx}\n` }, { tx: `${tx}!` }, { tx, colour: 'blue' }, {}, { tx: 5 }])
      expect(await rpc('tx_submit', params)).toMatchObject({
        error: { code: -32602, data: { code: 'INVALID_PARAMS' } },
      });
  }, 60_000);

  it('from an account that nobody registered', async () => {
    await type(['wallet', 'create', 'stranger', ...signing(), '--home', network.directory]);
    const args = ['wallet', 'send', 'stranger', '--to', 'org0', '--amount', '1', '--token', 'QRT'];
    expect(await refusal([...args, ...at(), ...signing()])).toBe('UNKNOWN_SENDER');
  }, 60_000);

  it('and one that is sent again takes effect once', async () => {
    const before = JSON.parse(await balances());
    const { file, tx } = await sign('replayed', '--genesis', network.genesis);
    const first = (await type(['tx', 'submit', file, ...at(), '--json'])).json();
    const second = (await type(['tx', 'submit', file, ...at(), '--json'])).json();
    expect(second).toEqual(first);
    const answer = await rpc('tx_submit', { tx });
    expect(answer).toMatchObject({
      error: { code: -32001, data: { code: 'DUPLICATE', receipt: { transaction: first.id, height: first.height } } },
    });
    const after = JSON.parse(await balances());
    expect(BigInt(before[0][0].amount) - BigInt(after[0][0].amount)).toBe(100n);
    treasury = JSON.stringify(after);
  }, 60_000);
});
