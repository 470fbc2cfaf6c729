import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { sign } from '#crypto';
import { createNetwork } from '../../cli/network/create.ts';
import { ROLES } from '../../ledger/modules/operation.ts';
import { utf8 } from '../../ledger/types/bytes.ts';
import { type Home, loadHome } from '../../node/home.ts';
import { createVerifier, type Priority } from '../../node/network/verifier.ts';
import { keyOf, secretOf } from './network/nodes.ts';

const parent = mkdtempSync(join(tmpdir(), 'quorate-unchecked-'));
afterAll(() => rmSync(parent, { recursive: true }));

const ON = { QUORATE_BENCH_UNCHECKED_SIGNATURES: 'true' };

/** The home of a validator of a new network. */
async function homeOf(chainId: string): Promise<string> {
  const account = { keys: [keyOf('administrator')], roles: [...ROLES] };
  const member = { id: 'org0', name: 'Organisation', roles: ROLES, accounts: [account] };
  const plan = { chainId, genesisTime: 1_700_000_000_000, engine: 'pbft', members: [member], tokens: [] };
  const created = await createNetwork(join(parent, chainId), plan, { validators: 4, basePort: 0 });
  return created.nodes[0]!.home;
}

const bench = await homeOf('bench-1');
const real = await homeOf('orchards-bench-1');

describe('the switch that turns client signatures off', () => {
  test('is off, and no network that is made has it', () => {
    for (const home of [bench, real]) {
      expect(loadHome(home, {}).config.bench.uncheckedSignatures).toBe(false);
      expect(readFileSync(join(home, 'config.toml'), 'utf8')).not.toContain('bench');
    }
  });

  test('is taken under a chain id for it, on loopback alone', () => {
    expect(loadHome(bench, ON).config.bench.uncheckedSignatures).toBe(true);
    const six = { QUORATE_RPC_LISTEN: '[::1]:1', QUORATE_NETWORK_PEERS: '/ip6/::1/tcp/1,/ip4/127.8.0.1/tcp/1' };
    expect(loadHome(bench, { ...ON, ...six }).config.rpc.listen.host).toBe('::1');
  });

  test('is refused under any other chain id', () => {
    expect(() => loadHome(real, ON)).toThrowError(
      expect.objectContaining({
        code: 'UNCHECKED_ON_REAL_CHAIN',
        message: expect.stringContaining('orchards-bench-1'),
      }),
    );
  });

  const NETWORK = 'QUORATE_NETWORK_LISTEN';
  const METRICS = 'QUORATE_METRICS_LISTEN';
  test.each([
    ['rpc.listen', 'every address', { QUORATE_RPC_LISTEN: '0.0.0.0:1' }],
    ['rpc.listen', 'every address of IPv6', { QUORATE_RPC_LISTEN: '[::]:1' }],
    ['rpc.listen', 'a name', { QUORATE_RPC_LISTEN: 'localhost:1' }],
    ['rpc.listen', 'a name that looks like an address', { QUORATE_RPC_LISTEN: '127.0.0.1.example:1' }],
    ['rpc.listen', 'an address of IPv4 as one of IPv6', { QUORATE_RPC_LISTEN: '[::ffff:10.0.0.1]:1' }],
    ['network.listen', 'an address of another network', { [NETWORK]: '10.0.0.1:1' }],
    ['metrics.listen', 'every address', { [METRICS]: '0.0.0.0:1' }],
    ['metrics.listen', 'every address, served or not', { [METRICS]: '0.0.0.0:1', QUORATE_METRICS_ENABLED: 'false' }],
    ['network.peers', 'a peer elsewhere', { QUORATE_NETWORK_PEERS: '/ip4/127.0.0.1/tcp/1,/ip4/10.0.0.1/tcp/1' }],
    ['network.peers', 'a peer by name', { QUORATE_NETWORK_PEERS: '/dns4/localhost/tcp/1' }],
  ])('is refused where %s is %s', (key, _what, environment) => {
    let home: Home | null = null;
    const load = () => {
      home = loadHome(bench, { ...ON, ...environment });
    };
    expect(load).toThrowError(
      expect.objectContaining({ code: 'UNCHECKED_BEYOND_LOOPBACK', message: expect.stringContaining(key) }),
    );
    expect(home).toBeNull();
    // Without the switch the address is nobody's business here.
    expect(loadHome(bench, environment)).toBeDefined();
  });

  test('is for what clients signed: a false vote stays false', async () => {
    const message = utf8('payment');
    const forged = [{ key: keyOf('signer'), message, signature: sign(secretOf('forger'), message) }];
    const unchecked = createVerifier(undefined, { uncheckedTransactions: true });
    const verdict = async (priority: Priority) => (await unchecked.verify(forged, priority))?.[0];
    expect([await verdict('own'), await verdict('peer'), await verdict('proposal')]).toEqual([true, true, true]);
    expect(await verdict('vote')).toBe(false);
    expect((await createVerifier().verify(forged, 'own'))?.[0]).toBe(false);
    unchecked.stop();
    expect(await unchecked.verify(forged, 'own')).toBeNull();
  });
});
