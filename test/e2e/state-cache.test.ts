import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { unwrap } from '../../cli/fault.ts';
import { stopNode } from '../../cli/network/process.ts';
import { loadConfig } from '../../node/config.ts';
import { expectVerified } from './kill.ts';
import { expectApplied, startLoad } from './load.ts';
import { expectNoEvidence, settled, start, stopAll, type TestNode, TOKEN, testNetwork, until, up } from './network.ts';

/** Each has an account and a balance: some megabytes of state. */
const ACCOUNTS = 6_000;
const SENDERS = 100;
const TRANSFERS = 400;

async function metric({ home }: TestNode, name: string): Promise<number> {
  const { host, port } = loadConfig(join(home, 'config.toml'), {}).metrics.listen;
  const text = await (await fetch(`http://${host}:${port}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

it('a validator whose memory holds a part of the state does what the others do', async context => {
  const made = await testNetwork(context, { senders: ACCOUNTS });
  const network = { ...made, senders: made.senders.slice(0, SENDERS) };
  const [other, small] = [network.nodes[0]!, network.nodes.at(-1)!];
  appendFileSync(join(small.home, 'config.toml'), '\n[storage]\nstateCacheMb = 1\n');
  await up(network);
  const load = startLoad(network, 4);
  await until('transfers are final', () => load.acknowledged >= TRANSFERS / 2);
  await settled(network.nodes.slice(0, 1));

  // The whole state is read again on the way, more than memory may hold.
  expect(await stopNode(small.home)).toBe('stopped');
  await start(small);
  await until('more transfers are final', () => load.acknowledged >= TRANSFERS);
  const chain = await expectApplied(network, await load.finish());

  expect(await metric(small, 'quorate_ledger_state_pages')).toBeGreaterThan(10);
  expect(await metric(small, 'quorate_ledger_state_page_reads_total')).toBeGreaterThan(10);
  expect(await metric(small, 'quorate_ledger_state_memory_bytes')).toBeLessThan(1.2 * 1024 * 1024);
  expect(await metric(other, 'quorate_ledger_state_pages')).toBe(0);
  const height = await settled(network.nodes);
  const asked = made.senders
    .slice(0, 1_000)
    .map(({ address }) => ({ key: `tokens/balance/${TOKEN}/${address}`, height }));
  const [values, others] = await Promise.all([small, other].map(node => node.rpc.callMany('state_get', asked)));
  expect(values).toEqual(others);
  expect(values!.every(each => unwrap(each).value !== null)).toBe(true);
  await expectNoEvidence(network.nodes);
  await stopAll(network);
  await expectVerified(small.home, chain);
});
