import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { quorate, spawned } from '../unit/cli/run.ts';
import { refusal, type, userNetwork } from './command-line.ts';

const DEPTH = 5;
const PARAMS = [`finalityDepth=${DEPTH}`, 'hardnessStartBits=8', 'hardnessMinBits=4', 'viewTimeoutMs=800'];

interface Known {
  readonly status: string;
  readonly depth: number | null;
  readonly finalityDepth: number;
}

it('a payment under proof of work is included, so many of so many deep, and is proved as that', async ({
  onTestFinished,
}) => {
  const network = await userNetwork(1, ['pow', ...PARAMS]);
  onTestFinished(network.close);
  const { scratch, directory, genesis, passphraseFile, urls } = network;
  const at = ['--rpc', urls[0]!, '--home', directory];
  const payment = join(scratch, 'payment.json');
  const pay = ['wallet', 'send', 'treasury', '--to', 'org0', '--amount', '1.50', '--token', 'QRT'];
  const offline = ['--passphrase-file', passphraseFile, '--offline', payment, ...at, '--json'];
  const { id } = (await type([...pay, ...offline])).json<{ id: string }>();

  const sending = type(['tx', 'submit', payment, ...at], spawned);
  const seen: string[] = [];
  for (let known: Known | null = null; known?.status !== 'final'; ) {
    const got = await quorate(['tx', 'get', id, '--json', ...at]);
    known = got.code === 0 ? got.json<Known>() : null;
    if (known?.status !== 'included') continue;
    expect(known.finalityDepth).toBe(DEPTH);
    expect(known.depth).toBeLessThan(DEPTH);
    seen.push((await type(['tx', 'get', id, ...at])).stdout);
  }
  expect(seen.join('\n')).toMatch(/^status {2,}included, [0-4] of 5 deep$/m);

  const sent = await sending;
  const depths = [...sent.stderr.matchAll(/^included, (\d) of 5 deep, height \d+$/gm)].map(match => Number(match[1]));
  expect(depths.length, sent.stderr).toBeGreaterThan(0);
  expect(depths).toEqual(depths.toSorted((a, b) => a - b));
  expect(depths.every(depth => depth < DEPTH)).toBe(true);
  expect(sent.stdout).toMatch(/^final {2}height \d+, index 0, 5 blocks deep$/m);
  const again = await type(['tx', 'submit', payment, '--json', ...at]);
  expect(again.json()).toMatchObject({ id, status: 'final', finalityDepth: DEPTH });

  const file = join(scratch, 'payment.proof');
  (await type(['tx', 'proof', id, '--out', file, ...at, '--json'])).json();
  const verify = ['verify', file, '--genesis', genesis];
  const verified = (await type([...verify, '--json'])).json<{ depth: number; work: string; height: number }>();
  expect(verified).toMatchObject({
    ...{ valid: true, engine: 'pow', finality: 'probabilistic', trust: 'none' },
    transaction: { id, succeeded: true },
  });
  expect(verified.depth).toBeGreaterThanOrEqual(DEPTH);
  // A block takes 2^4 hashes on average at least.
  expect(BigInt(verified.work)).toBeGreaterThanOrEqual(16n * BigInt(verified.height + verified.depth));
  const told = (await type(verify)).stdout;
  expect(told).toContain(`included, ${verified.depth} blocks deep`);
  expect(told).not.toMatch(/\bfinal\b/);
  expect((await type([...verify, '--depth', String(verified.depth)])).code).toBe(0);
  expect(await refusal([...verify, '--depth', String(verified.depth + 1)])).toBe('PROOF_TOO_SHALLOW');
  expect(await refusal([...verify, '--depth', 'deep'], 2)).toBe('USAGE');
  expect(readFileSync(file).length).toBeGreaterThan(1_000);
}, 120_000);
