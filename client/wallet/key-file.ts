/**
 * A wallet at rest: JSON with the address and the public key in clear, and the words or the key under a passphrase
 * (scrypt, RFC 7914; XChaCha20-Poly1305). A checksum over all of it tells a damaged file from a wrong passphrase, and the
 * cipher authenticates what is in clear. Files are the caller's affair.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { scryptAsync } from '@noble/hashes/scrypt.js';
import { sha256Hex } from '#crypto';
import { keyTypeOf, parsePublicKey, publicKeyText } from '../../ledger/crypto/keys.ts';
import { type Address, address, isAddress } from '../../ledger/types/address.ts';
import { type Bytes, fromHex, toHex, utf8 } from '../../ledger/types/bytes.ts';
import { decode, encode, fixed, struct, type TypeOf, text, uint, union } from '../../ledger/types/codec.ts';
import { err, type Fault, ok, type Result } from '../../ledger/types/errors.ts';
import { type PublicKey, publicKey } from '../../ledger/types/ids.ts';
import type { Entropy } from '../entropy.ts';
import { type Wallet, walletFromMnemonic, walletFromSecret } from './wallet.ts';

const VERSION = 1;
/** 64 MB and about half a second for each guess. */
const SCRYPT_N = 2 ** 16;
/** Less would be no protection; more would let a file from elsewhere take all memory. */
const SCRYPT_N_KNOWN: readonly unknown[] = [2 ** 15, 2 ** 16, 2 ** 17, 2 ** 18];
const SCRYPT_R = 8;
const SCRYPT_P = 1;
const KEY_FILE_LENGTH_MAX = 8_192;

/** What a key file says to anyone. */
export interface KeyFileHead {
  readonly address: Address;
  readonly publicKey: PublicKey;
}

interface KeyFile extends KeyFileHead {
  readonly n: number;
  readonly salt: Bytes;
  readonly nonce: Bytes;
  readonly ciphertext: Bytes;
}

/** What the cipher authenticates and the checksum covers beside the ciphertext. */
const head = struct({
  version: uint(VERSION),
  address,
  publicKey,
  n: uint(2 ** 18),
  salt: fixed(32),
  nonce: fixed(24),
});

const secret = union({
  mnemonic: [1, struct({ words: text(512), path: text(512) })],
  imported: [2, struct({ secret: fixed(32) })],
});

const encodeHead = (file: Omit<KeyFile, 'ciphertext'>): Bytes => encode(head, { version: VERSION, ...file });
const checksumOf = (file: KeyFile): string => sha256Hex(encodeHead(file), file.ciphertext);

function damaged(reason: string): { readonly ok: false; readonly error: Fault } {
  return err({
    code: 'KEY_FILE_DAMAGED',
    message: `this is no key file, or a damaged one: ${reason}`,
    hint: 'restore it from a backup, or import the wallet again from its words',
  });
}

/** The key that a passphrase stands for; it is normalised, so that every keyboard and system types the same one. */
function passphraseKey(passphrase: string, n: number, salt: Bytes): Promise<Bytes> {
  const options = { N: n, r: SCRYPT_R, p: SCRYPT_P, dkLen: 32 };
  return scryptAsync(utf8(passphrase.normalize('NFKC')), salt, options);
}

/** The text of a key file. Takes about half a second, in slices that leave the thread to others. */
export async function encryptKeys(wallet: Wallet, passphrase: string, entropy: Entropy): Promise<string> {
  const clear = { address: wallet.address, publicKey: wallet.publicKey };
  const sealed = { ...clear, n: SCRYPT_N, salt: entropy(32), nonce: entropy(24) };
  const plain = encode(
    secret,
    wallet.origin.type === 'mnemonic' ? wallet.origin : { type: 'imported', secret: wallet.key.secret },
  );
  const key = await passphraseKey(passphrase, sealed.n, sealed.salt);
  const ciphertext = xchacha20poly1305(key, sealed.nonce, encodeHead(sealed)).encrypt(plain);
  return write({ ...sealed, ciphertext });
}

function write(file: KeyFile): string {
  const json = {
    version: VERSION,
    address: file.address,
    publicKey: publicKeyText(file.publicKey),
    kdf: { name: 'scrypt', n: file.n, r: SCRYPT_R, p: SCRYPT_P, salt: toHex(file.salt) },
    cipher: { name: 'xchacha20-poly1305', nonce: toHex(file.nonce), ciphertext: toHex(file.ciphertext) },
    checksum: checksumOf(file),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

/** Address and public key of a key file, without its passphrase. Refuses with KEY_FILE_VERSION, KEY_FILE_DAMAGED. */
export function readKeyFile(contents: string): Result<KeyFileHead, Fault> {
  const file = parse(contents);
  return file.ok ? ok({ address: file.value.address, publicKey: file.value.publicKey }) : file;
}

type Json = { readonly [name: string]: unknown };
const objectOf = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function bytesOf(value: unknown, length: number): Bytes | null {
  const bytes = fromHex(textOf(value));
  return bytes?.length === length ? bytes : null;
}

function parseJson(contents: string): Json | null {
  try {
    return objectOf(JSON.parse(contents));
  } catch {
    return null;
  }
}

function parse(contents: string): Result<KeyFile, Fault> {
  if (contents.length > KEY_FILE_LENGTH_MAX) return damaged('it is too long');
  const json = parseJson(contents);
  if (json === null) return damaged('it is not JSON');
  if (Number.isSafeInteger(json.version) && (json.version as number) > VERSION)
    return err({
      code: 'KEY_FILE_VERSION',
      message: `this key file is of version ${json.version}, and version ${VERSION} is the latest this program knows`,
      hint: 'open it with the program that wrote it, or a newer one',
    });
  const file = fieldsOf(json);
  if (file === null) return damaged('a field is missing or of a wrong form');
  return json.checksum === checksumOf(file) ? ok(file) : damaged('the checksum is another');
}

function fieldsOf(json: Json): KeyFile | null {
  const kdf = objectOf(json.kdf);
  const cipher = objectOf(json.cipher);
  const owner = textOf(json.address);
  const publicKey = parsePublicKey(textOf(json.publicKey));
  const salt = bytesOf(kdf.salt, 32);
  const nonce = bytesOf(cipher.nonce, 24);
  const ciphertext = fromHex(textOf(cipher.ciphertext));
  if (json.version !== VERSION || kdf.name !== 'scrypt' || kdf.r !== SCRYPT_R || kdf.p !== SCRYPT_P) return null;
  if (!SCRYPT_N_KNOWN.includes(kdf.n)) return null;
  if (cipher.name !== 'xchacha20-poly1305' || !isAddress(owner)) return null;
  if (publicKey === null || salt === null || nonce === null || ciphertext === null) return null;
  return { address: owner, publicKey, n: kdf.n as number, salt, nonce, ciphertext };
}

/** The wallet of a key file. Refuses with KEY_FILE_VERSION, KEY_FILE_DAMAGED, WRONG_PASSPHRASE. */
export async function decryptKeys(contents: string, passphrase: string): Promise<Result<Wallet, Fault>> {
  const file = parse(contents);
  if (!file.ok) return file;
  const { n, salt, nonce, ciphertext } = file.value;
  const key = await passphraseKey(passphrase, n, salt);
  const plain = open(key, nonce, encodeHead(file.value), ciphertext);
  if (plain === null)
    return err({
      code: 'WRONG_PASSPHRASE',
      message: `the passphrase does not open the key file of ${file.value.address}`,
      hint: 'try again; without it, only the words that were written down bring the wallet back',
    });
  const content = decode(secret, plain);
  if (!content.ok) return damaged('what is in it has another form');
  return walletOf(file.value, content.value);
}

function open(key: Bytes, nonce: Bytes, authenticated: Bytes, ciphertext: Bytes): Bytes | null {
  try {
    return xchacha20poly1305(key, nonce, authenticated).decrypt(ciphertext);
  } catch {
    return null;
  }
}

/** Makes the wallet again and holds it against what the file says in clear. */
async function walletOf(file: KeyFileHead, content: TypeOf<typeof secret>): Promise<Result<Wallet, Fault>> {
  const type = keyTypeOf(file.publicKey);
  const wallet =
    content.type === 'mnemonic'
      ? await walletFromMnemonic(content.words, { type, path: content.path, address: file.address })
      : walletFromSecret({ type, secret: content.secret }, file.address);
  return wallet.ok && wallet.value.publicKey === file.publicKey ? wallet : damaged('its key is not the one it names');
}
