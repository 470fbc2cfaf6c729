/** A key that signs for one account, with where it came from. */
import { publicKeyOf } from '#crypto';
import { accountAddress } from '../../ledger/crypto/keys.ts';
import type { KeyType, SecretKey } from '../../ledger/crypto/port.ts';
import type { Address } from '../../ledger/types/address.ts';
import { err, type Fault, ok, type Result } from '../../ledger/types/errors.ts';
import type { PublicKey } from '../../ledger/types/ids.ts';
import { deriveKey, isSecretKey, walletPath } from './derivation.ts';
import { mnemonicSeed, parseMnemonic } from './mnemonic.ts';

/** What a wallet can be made again from: words and a path, or nothing but the key itself. */
export type Origin =
  | { readonly type: 'mnemonic'; readonly words: string; readonly path: string }
  | { readonly type: 'imported' };

export interface Wallet {
  /** The account of this key alone, unless the wallet was made for another one: an address outlives its first keys. */
  readonly address: Address;
  readonly publicKey: PublicKey;
  readonly key: SecretKey;
  readonly origin: Origin;
}

/** What may be chosen where a wallet is made. */
export interface WalletOptions {
  /** `ed25519` unless said otherwise. */
  readonly type?: KeyType;
  /** {@link walletPath} of account 0 unless said otherwise. */
  readonly path?: string;
  /** The account the key signs for, where that is not the account of this key alone. */
  readonly address?: Address;
}

/** The wallet of written-down words. Refuses as `parseMnemonic` and `parsePath` do. */
export async function walletFromMnemonic(text: string, options: WalletOptions = {}): Promise<Result<Wallet, Fault>> {
  const words = parseMnemonic(text);
  if (!words.ok) return words;
  const path = options.path ?? walletPath(0);
  const derived = deriveKey(options.type ?? 'ed25519', await mnemonicSeed(words.value), path);
  if (!derived.ok) return derived;
  const { type, secret } = derived.value;
  return ok(walletOf({ type, secret }, { type: 'mnemonic', words: words.value, path }, options.address));
}

/** The wallet of an existing key. Refuses with SECRET_KEY_INVALID. */
export function walletFromSecret(key: SecretKey, address?: Address): Result<Wallet, Fault> {
  if (isSecretKey(key)) return ok(walletOf(key, { type: 'imported' }, address));
  return err({
    code: 'SECRET_KEY_INVALID',
    message: `this is no secret key of ${key.type}`,
    hint: 'a secret key is 32 bytes, 64 hex digits, and for p256 and secp256k1 neither 0 nor above the order of the curve',
  });
}

function walletOf(key: SecretKey, origin: Origin, address: Address | undefined): Wallet {
  const publicKey = publicKeyOf(key);
  return { address: address ?? accountAddress(1, [publicKey]), publicKey, key, origin };
}
