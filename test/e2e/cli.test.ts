import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { publicKeyOf } from '#crypto';
import { choosePorts } from '../../cli/network/ports.ts';
import { spawnNode, stopNode } from '../../cli/network/process.ts';
import { publicKeyText } from '../../ledger/crypto/keys.ts';
import { configText, loadConfig } from '../../node/config.ts';
import { createKey } from '../../node/keys.ts';
import { spawned } from '../unit/cli/run.ts';
import { refusal, type, type UserNetwork, userNetwork } from './command-line.ts';
import { until } from './network.ts';

/** One network, used from its first block to its end: the tests of this file are the chapters of one story. */
let network: UserNetwork;
/** Recorded before and after the validators changed. */
const payments: string[] = [];

beforeAll(async () => {
  network = await userNetwork(4);
}, 300_000);
afterAll(() => network?.close(), 120_000);

const at = (node = 0) => ['--rpc', network.urls[node]!, '--home', network.directory, '--json'];
const signing = () => ['--passphrase-file', network.passphraseFile];
const run = async <T = Record<string, unknown>>(...args: string[]): Promise<T> =>
  (await type([...args, ...at()])).json<T>();
const send = <T = { id: string; height: number; status: string }>(...args: string[]): Promise<T> =>
  run<T>(...args, ...signing());
const pay = (from: string, to: string, amount: string) =>
  send('wallet', 'send', from, '--to', to, '--amount', amount, '--token', 'QRT');
const balanceOf = async (name: string): Promise<string | undefined> =>
  (await run<{ balances: { amount: string }[] }>('wallet', 'balance', name)).balances[0]?.amount;

it('a network is up on every node', async () => {
  const { nodes } = (await type(['network', 'status', network.directory, '--json'], spawned)).json<{
    nodes: object[];
  }>();
  expect(nodes).toHaveLength(4);
  for (const node of nodes) expect(node).toMatchObject({ pid: expect.any(Number), status: { validators: 4 } });
  const status = await run('node', 'status');
  expect(status).toMatchObject({ chain: { engine: 'pbft' }, node: { consensus: { voting: true } } });
  const { members } = await run<{ members: { id: string }[] }>('members', 'list');
  expect(members.map(each => each.id)).toEqual(['org0', 'org1', 'org2', 'org3']);
}, 60_000);

it('a wallet is made, entrusted to a member, paid and pays', async () => {
  const alice = await send<{ address: string; publicKey: string; mnemonic: string }>('wallet', 'create', 'alice');
  expect(alice.mnemonic.split(' ')).toHaveLength(24);
  const { wallets } = await run<{ wallets: { name: string }[] }>('wallet', 'list');
  expect(wallets.map(each => each.name)).toEqual(['alice', 'org0', 'org1', 'org2', 'org3', 'treasury']);
  await send(...['members', 'add-account', 'org1', '--key', alice.publicKey, '--roles', 'submit', '--wallet', 'org1']);

  const funded = await pay('treasury', alice.address, '12.5');
  expect(funded).toMatchObject({ status: 'final' });
  expect(await balanceOf('alice')).toBe('1250');
  // By the program itself, as everything could be.
  const payment = ['wallet', 'send', 'alice', '--to', 'org2', '--amount', '2.25', '--token', 'QRT'];
  const paid = (await type([...payment, ...at(), ...signing()], spawned)).json<{ id: string; height: number }>();
  expect(await balanceOf('alice')).toBe('1025');
  expect(await balanceOf('org2')).toBe('225');
  payments.push(funded.id, paid.id);

  const waited = await run('tx', 'wait', paid.id);
  expect(waited).toMatchObject({ id: paid.id, height: paid.height, succeeded: true });
  for (const node of network.urls.keys()) {
    // Final at one node is final at all of them a moment later.
    await type(['tx', 'wait', paid.id, ...at(node)]);
    const known = (await type(['tx', 'get', paid.id, ...at(node)])).json();
    expect(known).toMatchObject({ status: 'final', height: paid.height, receipt: { succeeded: true } });
  }
  expect(await run('block', 'get', String(paid.height))).toMatchObject({ transactions: [paid.id] });
  // Every amount and every balance has its own words for people, too.
  const text = await type(['wallet', 'balance', 'alice', '--rpc', network.urls[0]!, '--home', network.directory]);
  expect(text.stdout).toContain('10.25');
}, 120_000);

it('the validators change by votes: more power for one, an observer as the fifth', async () => {
  type Listed = { validators: { name: string; key: string; power: number }[] };
  const listed = async () => (await run<Listed>('validators', 'list')).validators;
  const before = await listed();
  const node1 = before.find(each => each.name === 'node1')!;
  const heavier = await send('validators', 'propose', 'power', node1.key, '2', '--wallet', 'org0');
  const { proposals } = await run<{ proposals: object[] }>('validators', 'proposals');
  expect(proposals).toMatchObject([{ id: heavier.id, votes: ['org0'], change: { type: 'power', power: 2 } }]);
  const again = ['validators', 'vote', heavier.id, '--wallet', 'org0', ...at(), ...signing()];
  expect(await refusal(again)).toBe('ALREADY_VOTED');
  for (const wallet of ['org1', 'org2']) await send('validators', 'vote', heavier.id, '--wallet', wallet);
  expect((await listed()).find(each => each.name === 'node1')).toMatchObject({ power: 2 });

  const home = await observer();
  spawnNode(home);
  try {
    const url = `http://127.0.0.1:${loadConfig(join(home, 'config.toml'), {}).rpc.listen.port}`;
    await until(
      'the observer is ready',
      async () => (await fetch(`${url}/health/ready`).catch(() => null))?.ok === true,
    );
    const voting = async () =>
      (await type(['node', 'status', '--rpc', url, '--json'])).json<{ node: { consensus: { voting: boolean } } }>().node
        .consensus.voting;
    expect(await voting()).toBe(false);
    const stranger = `ed25519:${'00'.repeat(31)}01`;
    expect(
      await refusal(['validators', 'propose', 'remove', stranger, '--wallet', 'org0', ...at(), ...signing()]),
    ).toBe('UNKNOWN_VALIDATOR');
    const own = readFileSync(join(home, 'validator.txt'), 'utf8');
    const fifth = await send(
      ...['validators', 'propose', 'add', own, '--name', 'node4', '--member', 'org3', '--wallet', 'org0'],
    );
    for (const wallet of ['org1', 'org2']) await send('validators', 'vote', fifth.id, '--wallet', wallet);
    expect(await listed()).toHaveLength(5);
    // It was silent before, and begins a few heights after the one that made it a validator.
    for (let paid = 0; !(await voting()); paid++) {
      expect(paid, 'heights until it votes').toBeLessThan(30);
      await pay('treasury', 'org3', '1');
    }
    payments.push((await pay('alice', 'org3', '0.01')).id);
    const removed = await send('validators', 'propose', 'remove', own, '--wallet', 'org0');
    for (const wallet of ['org1', 'org2', 'org3']) await send('validators', 'vote', removed.id, '--wallet', wallet);
    expect(await listed()).toHaveLength(4);
    payments.push((await pay('alice', 'org3', '0.02')).id);
  } finally {
    expect(await stopNode(home)).toBe('stopped');
  }
  expect((await type(['node', 'verify', '--home', home, '--json'])).json()).toMatchObject({ findings: [] });
}, 300_000);

/** The home of a node that may connect and has a validator's key, but no vote yet. */
async function observer(): Promise<string> {
  const home = join(network.scratch, 'node4');
  mkdirSync(home);
  copyFileSync(network.genesis, join(home, 'genesis.json'));
  const node = publicKeyText(publicKeyOf(createKey(join(home, 'keys', 'node.key'))));
  const validator = publicKeyText(publicKeyOf(createKey(join(home, 'keys', 'validator.key'))));
  writeFileSync(join(home, 'validator.txt'), validator);
  const [ports] = await choosePorts(0, 1);
  const peers = network.homes.map(
    each => `/ip4/127.0.0.1/tcp/${loadConfig(join(each, 'config.toml'), {}).network.listen.port}`,
  );
  const config = configText({
    network: { listen: `127.0.0.1:${ports!.peer}`, peers },
    rpc: { listen: `127.0.0.1:${ports!.rpc}` },
    metrics: { listen: `127.0.0.1:${ports!.metrics}` },
  });
  writeFileSync(join(home, 'config.toml'), config);
  await send(...['members', 'add-node', node, '--name', 'node4', '--member', 'org3', '--wallet', 'org3']);
  return home;
}

it('what was paid before and after is proven from genesis alone, and nothing else is', async () => {
  expect(payments).toHaveLength(4);
  for (const [i, id] of payments.entries()) {
    const file = join(network.scratch, `payment${i}.proof`);
    await run('tx', 'proof', id, '--out', file);
    const verify = ['verify', file, '--genesis', network.genesis];
    expect((await type([...verify, '--json'])).json()).toMatchObject({ valid: true, transaction: { id } });
    expect((await type(verify, i === 0 ? spawned : undefined)).stdout).toMatch(/^valid\n/);
  }
  const file = join(network.scratch, 'payment3.proof');
  const proof = readFileSync(file);
  const damaged = join(network.scratch, 'damaged.proof');
  for (const part of [0, 0.2, 0.4, 0.6, 0.8, 0.999]) {
    const bytes = Buffer.from(proof);
    bytes[Math.floor(part * bytes.length)]! ^= 0x01;
    writeFileSync(damaged, bytes);
    expect(await refusal(['verify', damaged, '--genesis', network.genesis])).toMatch(/^(PROOF|CERTIFICATE)_/);
  }
  writeFileSync(damaged, proof.subarray(0, -1));
  expect(await refusal(['verify', damaged, '--genesis', network.genesis])).toMatch(/^(PROOF|CERTIFICATE)_/);

  const genesis = JSON.parse(readFileSync(network.genesis, 'utf8'));
  const other = join(network.scratch, 'other-genesis.json');
  for (const change of [
    { chainId: 'another-chain' },
    { genesisTime: new Date(0).toISOString() },
    { validators: genesis.validators.map((each: object) => ({ ...each, power: 3 })) },
  ]) {
    writeFileSync(other, JSON.stringify({ ...genesis, ...change }));
    expect(await refusal(['verify', file, '--genesis', other])).toMatch(/^PROOF_/);
  }
}, 240_000);

it('the network goes down, and every store is in order', async () => {
  const { nodes } = (await type(['network', 'down', network.directory, '--json'], spawned)).json<{ nodes: object[] }>();
  expect(nodes).toEqual(network.homes.map((_, i) => ({ name: `node${i}`, outcome: 'stopped' })));
  const verified = [];
  for (const home of network.homes)
    verified.push((await type(['node', 'verify', '--home', home, '--json'])).json<{ height: number; head: string }>());
  for (const each of verified) expect(each).toMatchObject({ findings: [] });
}, 120_000);
