import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { publicKeyOf } from '#crypto';
import { createNetwork } from '../../../cli/network/create.ts';
import { type MemberPlan, type NetworkPlan, plannedAddress } from '../../../cli/network/plan.ts';
import { parseGenesis } from '../../../ledger/genesis-file.ts';
import { loadConfig, verificationWorkers } from '../../../node/config.ts';
import { loadKey } from '../../../node/keys.ts';
import { quorate, spawned, temporary } from './run.ts';

const root = temporary();
const env = { QUORATE_PASSPHRASE: 'for tests' };
const keyOf = (byte: number) => publicKeyOf({ type: 'ed25519', secret: new Uint8Array(32).fill(byte) });

function planOf(more: Partial<NetworkPlan> = {}): NetworkPlan {
  const members = ['orchard', 'press', 'grocer'].map(
    (id, i): MemberPlan => ({
      id,
      name: id,
      roles: ['submit', 'validate', 'administer'],
      accounts: [{ keys: [keyOf(i + 1)], roles: ['submit', 'validate', 'administer'] }],
      gs1Prefixes: [`952100${i}`],
    }),
  );
  return { chainId: 'test', genesisTime: Date.UTC(2026, 0, 1), engine: 'pbft', members, tokens: [], ...more };
}

describe('network create', () => {
  const directory = join(root, 'net');
  let created: {
    directory: string;
    chainId: string;
    genesisId: string;
    params: Record<string, number>;
    passphrase: string | null;
    nodes: { name: string; ports: Record<string, number> }[];
    wallets: { name: string; address: string }[];
  };

  beforeAll(async () => {
    const args = ['network', 'create', '--validators', '2', '--out', directory, '--base-port', '0', '--json'];
    args.push('--params', 'viewTimeoutMs=2000', 'heartbeatMs=9000');
    created = (await spawned(args, { env })).json();
  }, 30_000);

  it('takes the parameters that it is given', () => {
    expect(created.params).toMatchObject({ viewTimeoutMs: 2000, viewTimeoutMsMax: 8000, heartbeatMs: 9000 });
  });

  it('makes a directory for each node, with the same genesis in each', () => {
    expect(readdirSync(directory).sort()).toEqual(['genesis.json', 'node0', 'node1', 'wallets']);
    const genesis = readFileSync(join(directory, 'genesis.json'));
    for (const { name } of created.nodes) {
      const home = join(directory, name);
      expect(readFileSync(join(home, 'genesis.json'))).toEqual(genesis);
      for (const key of ['node', 'validator'])
        expect(statSync(join(home, 'keys', `${key}.key`)).mode & 0o777).toBe(0o600);
    }
    const parsed = parseGenesis(genesis);
    expect(parsed).toMatchObject({ ok: true, value: { chainId: created.chainId, consensus: { engine: 'pbft' } } });
    if (!parsed.ok) return;
    const validators = created.nodes.map(({ name }) =>
      publicKeyOf(loadKey(join(directory, name, 'keys/validator.key'))),
    );
    expect(parsed.value.validators.map(each => each.key)).toEqual(validators.sort());
    expect(parsed.value.members.map(each => each.id)).toEqual(['org0', 'org1']);
  });

  it('gives every node ports of its own, and the others as peers', () => {
    const ports = created.nodes.flatMap(each => Object.values(each.ports));
    expect(new Set(ports).size).toBe(6);
    const [first, second] = created.nodes;
    const config = loadConfig(join(directory, 'node0', 'config.toml'), {});
    expect(config.rpc.listen).toEqual({ host: '127.0.0.1', port: first!.ports.rpc });
    expect(config.verification.workers).toBe(verificationWorkers(Math.floor(availableParallelism() / 2)));
    expect(config.network.peers).toEqual([
      expect.stringMatching(new RegExp(`^/ip4/127\\.0\\.0\\.1/tcp/${second!.ports.peer}/p2p/12D3Koo\\w{45}$`)),
    ]);
  });

  it('makes a wallet for each organisation and one that holds the token', async () => {
    expect(created.wallets.map(each => each.name)).toEqual(['org0', 'org1', 'treasury']);
    const exported = await quorate(['wallet', 'export', 'treasury', '--home', directory, '--json'], { env });
    const { address } = created.wallets[2]!;
    expect(exported.json()).toMatchObject({ address });
    const genesis = JSON.parse(readFileSync(join(directory, 'genesis.json'), 'utf8'));
    expect(genesis.modules.tokens[0]).toMatchObject({ symbol: 'QRT', holders: [{ address, amount: '100000000' }] });
    expect(created.passphrase).toBeNull();
  });

  it('refuses to overwrite, and leaves what is there as it was', async () => {
    const before = readFileSync(join(directory, 'genesis.json'), 'utf8');
    const again = await quorate(['network', 'create', '--validators', '1', '--out', directory], { env });
    expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: NETWORK_EXISTS: /) });
    expect(readFileSync(join(directory, 'genesis.json'), 'utf8')).toBe(before);
    expect(readdirSync(root).filter(each => each.startsWith('.'))).toEqual([]);
  }, 20_000);

  it('prints the passphrase that it made up', async () => {
    const args = ['network', 'create', '--validators', '1', '--out', join(root, 'one'), '--base-port', '0'];
    const { stdout } = await quorate(args);
    const passphrase = /passphrase[^\n]*\n {2}([a-z ]+)\n/.exec(stdout)?.[1];
    expect(passphrase?.split(' ')).toHaveLength(6);
    const exported = await quorate(['wallet', 'export', 'org0', '--home', join(root, 'one')], {
      env: { QUORATE_PASSPHRASE: passphrase! },
    });
    expect(exported.code).toBe(0);
  }, 20_000);

  it('of nodes that are stopped tells so, and has nothing to stop', async () => {
    const status = (await quorate(['network', 'status', directory, '--json'])).json<{ nodes: object[] }>();
    expect(status.nodes).toMatchObject([
      { name: 'node0', pid: null, status: null },
      { name: 'node1', pid: null, status: null },
    ]);
    const down = (await quorate(['network', 'down', directory, '--json'])).json();
    expect(down).toEqual({
      nodes: [
        { name: 'node0', outcome: 'not running' },
        { name: 'node1', outcome: 'not running' },
      ],
    });
    expect(await quorate(['network', 'status', root])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: NETWORK_MISSING: /),
    });
  }, 20_000);
});

describe('a planned network', () => {
  it('may have more members than nodes, and fewer', async () => {
    const wide = await createNetwork(join(root, 'wide'), planOf(), { validators: 2, basePort: 17_400 });
    expect(wide.genesis.validators.map(each => each.member).sort()).toEqual(['orchard', 'press']);
    expect(wide.genesis.members).toHaveLength(3);
    expect(wide.nodes.map(each => each.ports)).toEqual([
      { peer: 17_400, rpc: 17_401, metrics: 17_402 },
      { peer: 17_410, rpc: 17_411, metrics: 17_412 },
    ]);
    const narrow = await createNetwork(join(root, 'narrow'), planOf(), { validators: 4, basePort: 0 });
    expect(narrow.genesis.validators.map(each => each.member).sort()).toEqual([
      'grocer',
      'orchard',
      'orchard',
      'press',
    ]);
  });

  it('has the accounts, tokens, times and limits that it was given', async () => {
    const senders = Array.from({ length: 100 }, (_, i) => ({ keys: [keyOf(100 + i)], roles: ['submit' as const] }));
    const [first, ...rest] = planOf().members;
    const plan = planOf({
      members: [{ ...first!, accounts: [...first!.accounts, ...senders] }, ...rest],
      tokens: [
        {
          symbol: 'T',
          name: 'T',
          decimals: 0,
          admins: [],
          holders: senders.map(each => ({ address: plannedAddress(each), amount: 5n })),
        },
      ],
      params: { viewTimeoutMs: 300 },
      limits: { blockTransactionsMax: 7 },
    });
    const { genesis } = await createNetwork(join(root, 'bench'), plan, { validators: 1, basePort: 0 });
    expect(genesis.members.find(each => each.id === 'orchard')?.accounts).toHaveLength(101);
    expect(genesis.tokens[0]?.holders).toHaveLength(100);
    expect(genesis.consensus.params).toMatchObject({ viewTimeoutMs: 300, heartbeatMs: 10_000 });
    expect(genesis.limits.blockTransactionsMax).toBe(7);
  });

  it('writes out what an engine takes of its own, and refuses what it does not', async () => {
    const plan = planOf({ engine: 'pow', own: { finalityDepth: 9 } });
    const { directory, genesis } = await createNetwork(join(root, 'own'), plan, { validators: 1, basePort: 0 });
    const own = { finalityDepth: 9, hardnessStartBits: 16, hardnessMinBits: 12 };
    const file = JSON.parse(readFileSync(join(directory, 'genesis.json'), 'utf8'));
    expect([genesis.consensus.own, file.consensus.own]).toEqual([own, own]);
  });

  it.each<[string, Partial<NetworkPlan>, number, number, string]>([
    ['a depth without an end', { engine: 'pow', own: { finalityDepth: 33 } }, 1, 0, 'GENESIS_BAD_VALUE'],
    ['a depth where all is final at once', { own: { finalityDepth: 6 } }, 1, 0, 'GENESIS_UNKNOWN_KEY'],
    ['a bad chain id', { chainId: 'Not A Chain' }, 1, 0, 'GENESIS_BAD_VALUE'],
    [
      'prefixes that overlap',
      { members: planOf().members.map(each => ({ ...each, gs1Prefixes: ['9521'] })) },
      1,
      0,
      'GENESIS_PREFIX_OVERLAP',
    ],
    ['ports that do not exist', {}, 4, 65_530, 'PORTS_OUT_OF_RANGE'],
  ])('with %s is refused and leaves nothing behind', async (_what, more, validators, basePort, code) => {
    const directory = join(root, 'refused');
    const wallets = () => Promise.reject(new Error('wallets are made for what will be refused'));
    const files = { validators, basePort, wallets };
    await expect(createNetwork(directory, planOf(more), files)).rejects.toMatchObject({ code });
    expect(existsSync(directory)).toBe(false);
    expect(readdirSync(root).filter(each => each.endsWith('.draft'))).toEqual([]);
  });

  it('takes an empty directory that is there, and no other', async () => {
    const directory = join(root, 'empty');
    mkdirSync(directory);
    await createNetwork(directory, planOf(), { validators: 1, basePort: 0 });
    rmSync(join(directory, 'genesis.json'));
    await expect(createNetwork(directory, planOf(), { validators: 1, basePort: 0 })).rejects.toMatchObject({
      code: 'NETWORK_EXISTS',
    });
  });
});

describe('a network of one node', () => {
  const directory = join(root, 'alone');
  const run = (...args: string[]) => quorate(args, { env });

  it('goes up, serves, and goes down; what a dead node left does not matter', async () => {
    await run('network', 'create', '--validators', '1', '--out', directory, '--base-port', '0');
    // Of a process that is none of ours, and of one that cannot be.
    writeFileSync(join(directory, 'node0', 'node.pid'), `${process.pid}\n`);
    const up = await run('network', 'up', directory, '--json');
    expect(up.stderr).toBe('');
    const [node] = up.json<{ nodes: { pid: number; rpcUrl: string; before: boolean }[] }>().nodes;
    expect(node).toMatchObject({ before: false, pid: expect.any(Number) });
    expect(readFileSync(join(directory, 'node0', 'node.pid'), 'utf8')).toBe(`${node!.pid}\n`);
    try {
      const again = (await run('network', 'up', directory, '--json')).json<{ nodes: object[] }>();
      expect(again.nodes).toMatchObject([{ before: true, pid: node!.pid }]);
      const second = await spawned(['node', 'start', '--home', join(directory, 'node0')]);
      expect(second).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: NODE_RUNNING: /) });
      expect(await run('node', 'verify', '--home', join(directory, 'node0'))).toMatchObject({ code: 1 });

      const at = ['--rpc', node!.rpcUrl, '--home', directory, '--json'];
      const payment = ['wallet', 'send', 'treasury', '--to', 'org0', '--token', 'QRT'];
      const sent = (await run(...payment, '--amount', '12.5', ...at)).json<{ id: string }>();
      expect(sent).toMatchObject({ status: 'final', succeeded: true });
      expect((await run('wallet', 'balance', 'org0', ...at)).json()).toMatchObject({
        balances: [{ token: 'QRT', amount: '1250' }],
      });
      const poor = await run('wallet', 'send', 'org0', '--to', 'treasury', '--token', 'QRT', '--amount', '13', ...at);
      expect(poor).toMatchObject({ code: 1, stdout: '' });
      expect(poor.stderr).toMatch(/^error: INSUFFICIENT_BALANCE: the ledger refused tokens\.transfer \(1250\)/);
      expect((await run(...payment, '--amount', '1.001', ...at)).stderr).toMatch(/^error: AMOUNT_TOO_PRECISE: /);

      const file = join(root, 'offline.json');
      const offline = [...payment, '--amount', '1', '--offline', file, '--genesis', join(directory, 'genesis.json')];
      const signed = (await run(...offline, '--home', directory, '--json')).json<{ id: string }>();
      for (let time = 0; time < 2; time++)
        expect((await run('tx', 'submit', file, ...at)).json()).toMatchObject({ id: signed.id, succeeded: true });
      expect((await run('wallet', 'balance', 'org0', ...at)).json()).toMatchObject({ balances: [{ amount: '1350' }] });

      const proof = join(root, 'payment.proof');
      expect((await run('tx', 'proof', sent.id, '--out', proof, ...at)).code).toBe(0);
      const verified = await run('verify', proof, '--genesis', join(directory, 'genesis.json'), '--json');
      expect(verified.json()).toMatchObject({ valid: true, transaction: { id: sent.id, succeeded: true } });
      const stranger = await createNetwork(join(root, 'stranger'), planOf(), { validators: 1, basePort: 0 });
      const other = await run('verify', proof, '--genesis', join(stranger.directory, 'genesis.json'));
      expect(other).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: PROOF_/) });
    } finally {
      expect((await run('network', 'down', directory, '--json')).json()).toEqual({
        nodes: [{ name: 'node0', outcome: 'stopped' }],
      });
    }
    expect(existsSync(join(directory, 'node0', 'node.pid'))).toBe(false);
    const verified = (await run('node', 'verify', '--home', join(directory, 'node0'), '--json')).json();
    expect(verified).toMatchObject({ findings: [], transactions: 3 });
  }, 120_000);

  it('that cannot start says why, from its log', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    try {
      const blocked = await createNetwork(join(root, 'blocked'), planOf(), { validators: 1, basePort: 0 });
      const config = join(blocked.nodes[0]!.home, 'config.toml');
      const text = readFileSync(config, 'utf8');
      writeFileSync(config, text.replace(`127.0.0.1:${blocked.nodes[0]!.ports.rpc}`, `127.0.0.1:${port}`));
      const up = await run('network', 'up', join(root, 'blocked'));
      expect(up).toMatchObject({ code: 1, stdout: '' });
      expect(up.stderr).toMatch(/^error: PORT_IN_USE: node0: .*rpc\.listen.*node\.log\n$/);
    } finally {
      taken.close();
    }
  }, 60_000);
});
