import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quorate, spawned, temporary } from './run.ts';

const home = temporary();
const env = { QUORATE_HOME: home, QUORATE_PASSPHRASE: 'correct horse' };
const run = (...args: string[]) => quorate(args, { env });
const file = (name: string) => join(home, 'wallets', `${name}.json`);

describe('wallets', () => {
  it('are made, for their owner alone, and never overwritten', async () => {
    const made = await run('wallet', 'create', 'alice', '--json');
    expect(made.stderr).toBe('');
    const { address, mnemonic } = made.json<{ address: string; mnemonic: string }>();
    expect(address).toMatch(/^qr1[0-9a-z]{61}$/);
    expect(mnemonic.split(' ')).toHaveLength(24);
    expect(statSync(file('alice')).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, 'wallets')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(home, 'wallets'))).toEqual(['alice.json']);

    const before = readFileSync(file('alice'), 'utf8');
    const again = await run('wallet', 'create', 'alice');
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/^error: WALLET_EXISTS: .+; .+\n$/);
    expect(readFileSync(file('alice'), 'utf8')).toBe(before);
  });

  it('say nothing secret without the passphrase', async () => {
    const shown = await run('wallet', 'show', 'alice', '--json');
    expect(Object.keys(shown.json())).toEqual(['name', 'address', 'publicKey', 'file']);
    const { mnemonic } = {
      mnemonic: (await run('wallet', 'export', 'alice', '--json')).json<{ words: string }>().words,
    };
    for (const word of [readFileSync(file('alice'), 'utf8'), shown.stdout]) expect(word).not.toContain(mnemonic);
    const wrong = await quorate(['wallet', 'export', 'alice'], { env: { ...env, QUORATE_PASSPHRASE: 'wrong' } });
    expect({ code: wrong.code, stdout: wrong.stdout }).toEqual({ code: 1, stdout: '' });
    expect(wrong.stderr).toMatch(/^error: WRONG_PASSPHRASE: /);
  });

  it('come back from their words, and from a file with the passphrase', async () => {
    const exported = (await run('wallet', 'export', 'alice', '--json')).json<{ words: string; address: string }>();
    const passphraseFile = join(home, 'passphrase');
    writeFileSync(passphraseFile, 'another one\n');
    const imported = await spawned(['wallet', 'import', 'alice2', '--passphrase-file', passphraseFile, '--json'], {
      env,
      input: `  ${exported.words.toUpperCase()}\n`,
    });
    expect(imported.json()).toMatchObject({ name: 'alice2', address: exported.address });
    const opened = await quorate(['wallet', 'export', 'alice2', '--json'], {
      env: { ...env, QUORATE_PASSPHRASE: 'another one' },
    });
    expect(opened.json()).toMatchObject({ words: exported.words });
  });

  it('are imported from a secret key, for another account than its own', async () => {
    const { address } = (await run('wallet', 'show', 'alice', '--json')).json<{ address: string }>();
    const args = ['wallet', 'import', 'device', '--secret-key', '--type', 'p256', '--address', address, '--json'];
    const imported = await spawned(args, { env, input: '11'.repeat(32) });
    expect(imported.json()).toMatchObject({ address, publicKey: expect.stringMatching(/^p256:0[23][0-9a-f]{64}$/) });
    const exported = (await run('wallet', 'export', 'device', '--json')).json();
    expect(exported).toEqual({ address, type: 'p256', secretKey: '11'.repeat(32) });
  });

  it.each([
    ['a word that is none', `${'abandon '.repeat(11)}abuot`, 'MNEMONIC_WORD', /did you mean "about"/],
    ['a word too few', 'abandon '.repeat(11), 'MNEMONIC_LENGTH', /not 11/],
    ['words in another order', 'abandon '.repeat(12), 'MNEMONIC_CHECKSUM', /order/],
    ['nothing', '', 'MNEMONIC_LENGTH', /not 0/],
  ])('are not imported from %s', async (_what, input, code, says) => {
    const { code: exit, stderr } = await spawned(['wallet', 'import', 'none'], { env, input });
    expect(exit).toBe(1);
    expect(stderr).toMatch(new RegExp(`^error: ${code}: `));
    expect(stderr).toMatch(says);
  });

  it('are listed, and a misspelt one is named', async () => {
    const listed = (await run('wallet', 'list', '--json')).json<{ wallets: { name: string }[] }>();
    expect(listed.wallets.map(each => each.name)).toEqual(['alice', 'alice2', 'device']);
    expect((await run('wallet', 'show', 'alcie')).stderr).toMatch(/^error: WALLET_MISSING: .+; did you mean alice\?/);
  });

  it('that are damaged say so before anybody types a passphrase', async () => {
    writeFileSync(file('broken'), readFileSync(file('alice'), 'utf8').replace(/"nonce": "./, '"nonce": "g'), {
      mode: 0o600,
    });
    const { code, stderr } = await quorate(['wallet', 'export', 'broken'], { env: { QUORATE_HOME: home } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: KEY_FILE_DAMAGED: /);
  });

  it('need a passphrase from somewhere', async () => {
    const { code, stderr } = await quorate(['wallet', 'export', 'alice'], { env: { QUORATE_HOME: home } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: PASSPHRASE_MISSING: .+--passphrase-file.+QUORATE_PASSPHRASE/);
    const empty = await quorate(['wallet', 'create', 'empty'], { env: { ...env, QUORATE_PASSPHRASE: '' } });
    expect(empty.stderr).toMatch(/^error: PASSPHRASE_EMPTY: /);
  });
});

describe('messages', () => {
  it('are signed and verified, by name and by address', async () => {
    const signed = await run('wallet', 'sign', 'alice', '--message', 'I am alice', '--json');
    const { address, signature } = signed.json<{ address: string; signature: string }>();
    for (const signer of ['alice', address]) {
      const args = ['wallet', 'verify', signer, '--message', 'I am alice', '--signature', signature, '--json'];
      expect((await run(...args)).json()).toMatchObject({ valid: true, address });
    }
    const other = await run('wallet', 'verify', 'alice', '--message', 'I am bob', '--signature', signature);
    expect(other).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: SIGNATURE_INVALID: /) });
  });
});
