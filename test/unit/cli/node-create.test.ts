import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { publicKeyOf } from '#crypto';
import { publicKeyText } from '../../../ledger/crypto/keys.ts';
import { loadKey } from '../../../node/keys.ts';
import { quorate, spawned, temporary } from './run.ts';

const root = temporary();
const textOf = (path: string) => publicKeyText(publicKeyOf(loadKey(path)));

it('writes keys that only their owner reads, and prints what others need of them', async () => {
  const home = join(root, 'node4');
  const answer = (await quorate(['node', 'create', '--home', home, '--json'])).json<Record<string, string>>();
  expect(answer).toEqual({
    home,
    nodeKey: textOf(join(home, 'keys', 'node.key')),
    validatorKey: textOf(join(home, 'keys', 'validator.key')),
  });
  for (const name of ['node.key', 'validator.key']) expect(statSync(join(home, 'keys', name)).mode & 0o777).toBe(0o600);

  const again = await quorate(['node', 'create', '--home', home]);
  expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/^error: HOME_EXISTS: /)]);
  expect(textOf(join(home, 'keys', 'node.key'))).toBe(answer.nodeKey);

  const start = await spawned(['node', 'start', '--home', home]);
  expect([start.code, start.stderr]).toEqual([
    1,
    expect.stringMatching(/^error: GENESIS_UNREADABLE: .*copy the genesis/),
  ]);
});

it('gives an observer no key to vote with', async () => {
  const home = join(root, 'observer');
  const answer = (await quorate(['node', 'create', '--home', home, '--observer', '--json'])).json();
  expect(answer.validatorKey).toBeNull();
  expect(readdirSync(join(home, 'keys'))).toEqual(['node.key']);
});

it('copies a genesis that is one, and makes nothing for one that is none', async () => {
  const made = join(root, 'net');
  const env = { QUORATE_PASSPHRASE: 'for tests' };
  await quorate(['network', 'create', '--validators', '1', '--out', made, '--base-port', '0'], { env });
  const genesis = join(made, 'genesis.json');
  const home = join(root, 'joined');
  expect((await quorate(['node', 'create', '--home', home, '--genesis', genesis])).code).toBe(0);
  expect(readFileSync(join(home, 'genesis.json'), 'utf8')).toBe(readFileSync(genesis, 'utf8'));

  const wrong = join(root, 'wrong.json');
  writeFileSync(wrong, '{}');
  const refused = await quorate(['node', 'create', '--home', join(root, 'none'), '--genesis', wrong]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/^error: GENESIS_MISSING: /)]);
  expect(existsSync(join(root, 'none'))).toBe(false);
});
