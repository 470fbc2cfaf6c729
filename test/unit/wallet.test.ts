import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomBytes } from '../../client/entropy.ts';
import { childKey, deriveKey, isSecretKey, masterKey, parsePath, walletPath } from '../../client/wallet/derivation.ts';
import { decryptKeys, encryptKeys, readKeyFile } from '../../client/wallet/key-file.ts';
import { generateMnemonic, parseMnemonic } from '../../client/wallet/mnemonic.ts';
import { type Wallet, walletFromMnemonic, walletFromSecret } from '../../client/wallet/wallet.ts';
import { accountAddress, parsePublicKey } from '../../ledger/crypto/keys.ts';
import { publicKeyOf, sha256Hex, sign, verify } from '../../ledger/crypto/native.ts';
import { addressBytes } from '../../ledger/types/address.ts';
import { fromHex, toHex, utf8 } from '../../ledger/types/bytes.ts';
import type { Fault, Result } from '../../ledger/types/errors.ts';

const WORDS = `${'abandon '.repeat(23)}art`;

function expectOk<T>(result: Result<T, Fault>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
}

const codeOf = (result: Result<unknown, Fault>): string => (result.ok ? '' : result.error.code);

describe('a mnemonic', () => {
  test('is 24 words of the list, and another one each time', () => {
    const made = Array.from({ length: 20 }, () => generateMnemonic(randomBytes));
    for (const each of made) {
      expect(each.split(' ')).toHaveLength(24);
      expect(parseMnemonic(each)).toEqual({ ok: true, value: each });
    }
    expect(new Set(made).size).toBe(20);
  });

  test('is read whatever its case and white space', () => {
    expect(expectOk(parseMnemonic(`\n  ${WORDS.toUpperCase().replaceAll(' ', '  \t')} `))).toBe(WORDS);
  });

  test.each([
    ['no words', '', 'MNEMONIC_LENGTH', 'not 0'],
    ['a word short', WORDS.slice(0, -4), 'MNEMONIC_LENGTH', 'not 23'],
    ['a misspelt word', WORDS.replace('abandon', 'abandno'), 'MNEMONIC_WORD', 'word 1, "abandno"'],
    ['a word of no language', WORDS.replace(/art$/, 'qqqqqq'), 'MNEMONIC_WORD', 'word 24, "qqqqqq"'],
    ['a wrong checksum', WORDS.replace(/art$/, 'abandon'), 'MNEMONIC_CHECKSUM', 'together'],
    [
      'two words swapped',
      'legal winner thank year wave sausage worth useful winner legal thank yellow',
      'MNEMONIC_CHECKSUM',
      'together',
    ],
  ])('of %s is refused', (_title, words, code, message) => {
    const result = parseMnemonic(words);
    expect(codeOf(result)).toBe(code);
    expect(result.ok ? '' : result.error.message).toContain(message);
  });

  test('with a misspelt word names the one that was meant', () => {
    const result = parseMnemonic(WORDS.replace('abandon', 'abandno'));
    expect(result.ok ? '' : result.error.hint).toBe('did you mean "abandon"?');
  });
});

describe('a derivation path', () => {
  test.each([
    ['ed25519', 'm', []],
    ['ed25519', walletPath(3), [44, 29042, 3, 0, 0].map(index => index + 2 ** 31)],
    ['p256', "m/0/1'/2147483647", [0, 1 + 2 ** 31, 2 ** 31 - 1]],
  ] as const)('of %s, %s, is read', (type, path, indexes) => {
    expect(expectOk(parsePath(type, path))).toEqual(indexes);
  });

  test.each([
    '',
    'n',
    "M/0'",
    'm/',
    "m//0'",
    'm/-1',
    "m/00'",
    "m/2147483648'",
    'm/9999999999',
    "m/0''",
    'm/0h',
    ' m',
    'm/0\n',
    'm/1e3',
    'm/0x1',
    `m${'/0'.repeat(256)}`,
  ])('%j is none', path => {
    expect(codeOf(parsePath('secp256k1', path))).toBe('PATH_INVALID');
  });

  test('of an ed25519 key is hardened throughout', () => {
    expect(codeOf(parsePath('ed25519', "m/44'/0"))).toBe('PATH_NOT_HARDENED');
    expect(codeOf(deriveKey('ed25519', new Uint8Array(16), "m/44'/0"))).toBe('PATH_NOT_HARDENED');
  });

  test('leads to keys of the curve, each its own', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('p256', 'secp256k1', 'ed25519'),
        fc.uint8Array({ minLength: 16, maxLength: 64 }),
        fc.nat(2 ** 31 - 1),
        (type, seed, index) => {
          const master = masterKey(type, seed);
          const children = [childKey(master, index + 2 ** 31), childKey(master, (index ^ 1) + 2 ** 31)];
          if (type !== 'ed25519') children.push(childKey(master, index));
          for (const each of [master, ...children]) expect(isSecretKey(each)).toBe(true);
          expect(new Set([master, ...children].map(each => toHex(each.secret))).size).toBe(children.length + 1);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('a wallet', () => {
  test('of the same words is the same for ever', async () => {
    const wallets = await Promise.all(
      (['ed25519', 'p256', 'secp256k1'] as const).map(async type =>
        expectOk(await walletFromMnemonic(WORDS, { type })),
      ),
    );
    for (const each of wallets) {
      expect(each.publicKey).toBe(publicKeyOf(each.key));
      expect(each.address).toBe(accountAddress(1, [each.publicKey]));
      expect(verify(each.publicKey, utf8('a'), sign(each.key, utf8('a')))).toBe(true);
    }
    expect(wallets.map(each => each.address)).toMatchInlineSnapshot(`
      [
        "qr1qyqylegvxpk82ytg7gzm7jl7skvamkwwupg23gxc9zcup05usdt9fwsnkwq3q",
        "qr1qyqv2v60azll3ldd206r85ydcasrczgrthzu579cumtphuvcknr80lq7qstu6",
        "qr1qyq0lse8sadzxj4ac40ecj9l40ulq95wptv24z65asfmh8rgnve9tngva4yq7",
      ]
    `);
  });

  test('of another path is another wallet', async () => {
    const [first, second] = [await walletFromMnemonic(WORDS), await walletFromMnemonic(WORDS, { path: walletPath(1) })];
    expect(expectOk(first).address).not.toBe(expectOk(second).address);
  });

  test.each([
    ['31 bytes', { type: 'ed25519', secret: new Uint8Array(31) }],
    ['33 bytes', { type: 'p256', secret: new Uint8Array(33).fill(1) }],
    ['zero', { type: 'secp256k1', secret: new Uint8Array(32) }],
    [
      'the order of secp256k1',
      { type: 'secp256k1', secret: fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')! },
    ],
    ['above the order of p256', { type: 'p256', secret: new Uint8Array(32).fill(255) }],
  ] as const)('is not made of %s', (_title, key) => {
    expect(codeOf(walletFromSecret(key))).toBe('SECRET_KEY_INVALID');
  });
});

describe('a key file', async () => {
  const wallet = expectOk(await walletFromMnemonic(WORDS));
  const file = await encryptKeys(wallet, 'correct horse', randomBytes);
  const edit = (change: (json: Record<string, Record<string, unknown>>) => void): string => {
    const json = JSON.parse(file) as Record<string, Record<string, unknown>>;
    change(json);
    return JSON.stringify(json);
  };

  /** The checksum as docs/protocol.md has it, written down again. */
  function withChecksum(text: string): string {
    const json = JSON.parse(text);
    const key = parsePublicKey(json.publicKey)!;
    const n = { 32768: [128, 128, 2], 65536: [128, 128, 4] }[json.kdf.n as number]!;
    const head = [Uint8Array.of(1), addressBytes(json.address)!, fromHex(key)!, Uint8Array.from(n)];
    const rest = [json.kdf.salt, json.cipher.nonce, json.cipher.ciphertext].map(hex => fromHex(hex)!);
    return JSON.stringify({ ...json, checksum: sha256Hex(...head, ...rest) });
  }

  test('opens with its passphrase, composed or decomposed, and gives back the wallet', async () => {
    expect(expectOk(await decryptKeys(file, 'correct horse'))).toEqual(wallet);
    const accented = await encryptKeys(wallet, 'cr\u00e8me', randomBytes);
    expect(expectOk(await decryptKeys(accented, 'cre\u0300me'))).toEqual(wallet);
  });

  test('says its address and public key without one, and nothing of the words', () => {
    expect(expectOk(readKeyFile(file))).toEqual({ address: wallet.address, publicKey: wallet.publicKey });
    expect(file).not.toMatch(/abandon/);
    expect(file).not.toContain(toHex(wallet.key.secret));
    expect(file).not.toContain(toHex(utf8('abandon')));
  });

  test('has a salt and nonce of its own', async () => {
    const again = JSON.parse(await encryptKeys(wallet, 'correct horse', randomBytes));
    const first = JSON.parse(file);
    expect(again.kdf.salt).not.toBe(first.kdf.salt);
    expect(again.cipher.nonce).not.toBe(first.cipher.nonce);
  });

  test.each(['', 'Correct horse', 'correct horse '])('does not open with %j', async passphrase => {
    expect(codeOf(await decryptKeys(file, passphrase))).toBe('WRONG_PASSPHRASE');
  });

  test('keeps an imported key of each type, and another account than the key itself makes', async () => {
    for (const type of ['ed25519', 'p256', 'secp256k1'] as const) {
      const shared = accountAddress(1, [wallet.publicKey, publicKeyOf({ type, secret: new Uint8Array(32).fill(7) })]);
      const imported: Wallet = expectOk(walletFromSecret({ type, secret: new Uint8Array(32).fill(7) }, shared));
      const opened = expectOk(await decryptKeys(await encryptKeys(imported, 'p', randomBytes), 'p'));
      expect(opened).toEqual(imported);
      expect(opened.address).toBe(shared);
    }
  });

  test('with any one character changed is damaged, and never asks for a passphrase in vain', () => {
    const codes = new Map<string, number>();
    for (let at = 0; at < file.length; at++) {
      if (/\s/.test(file[at]!)) continue;
      for (const character of ['0', 'q', '"'].filter(each => each !== file[at])) {
        const result = readKeyFile(file.slice(0, at) + character + file.slice(at + 1));
        codes.set(codeOf(result), (codes.get(codeOf(result)) ?? 0) + 1);
      }
    }
    expect([...codes.keys()]).toEqual(['KEY_FILE_DAMAGED']);
    expect(codes.get('KEY_FILE_DAMAGED')).toBeGreaterThan(1_000);
  });

  test('cut short anywhere is damaged', () => {
    for (let length = 0; length < file.trimEnd().length; length++)
      expect(codeOf(readKeyFile(file.slice(0, length)))).toBe('KEY_FILE_DAMAGED');
  });

  test.each([
    ['not JSON', 'hello'],
    ['JSON of something else', '[]'],
    ['null', 'null'],
    ['a number', '7'],
    ['too long', ' '.repeat(10_000)],
    ['a field missing', edit(json => delete json.cipher)],
    ['a weak scrypt', withChecksum(edit(json => (json.kdf!.n = 32768))).replace('32768', '1024')],
    ['a scrypt that takes all memory', edit(json => (json.kdf!.n = 2 ** 30))],
    ['another r', edit(json => (json.kdf!.r = 9))],
    ['a number as text', edit(json => (json.kdf!.n = '65536'))],
    ['upper-case digits', edit(json => (json.checksum = String(json.checksum).toUpperCase() as never))],
  ])('that is %s is damaged', (_title, contents) => {
    expect(codeOf(readKeyFile(contents))).toBe('KEY_FILE_DAMAGED');
  });

  test('of a later version says so', () => {
    expect(codeOf(readKeyFile(edit(json => (json.version = 2 as never))))).toBe('KEY_FILE_VERSION');
  });

  test('whose address somebody exchanged with skill, checksum and all, does not open', async () => {
    const other = accountAddress(1, [publicKeyOf({ type: 'ed25519', secret: new Uint8Array(32) })]);
    const forged = withChecksum(edit(json => (json.address = other as never)));
    expect(withChecksum(file)).toBe(edit(() => {}));
    expect(expectOk(readKeyFile(forged)).address).toBe(other);
    expect(codeOf(await decryptKeys(forged, 'correct horse'))).toBe('WRONG_PASSPHRASE');
  });
});
