/**
 * Signatures over messages, to show who holds a key: over `quorate/message/1` with its length in front and the message. No chain
 * id, because a key is the same on every network; the tag keeps such a signature from ever passing for a transaction's.
 */
import { publicKeyOf, sign, verify } from '#crypto';
import { accountAddress } from '../../ledger/crypto/keys.ts';
import type { SecretKey } from '../../ledger/crypto/port.ts';
import type { Address } from '../../ledger/types/address.ts';
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';
import { decode, encode, fixed, struct, text } from '../../ledger/types/codec.ts';
import { err, type Fault, ok, type Result } from '../../ledger/types/errors.ts';
import { type PublicKey, publicKey } from '../../ledger/types/ids.ts';
import type { Tag } from '../../ledger/types/tags.ts';
import { type KeySignature, SIGNATURE_BYTES } from '../../ledger/types/transaction.ts';
import { fromBase64, toBase64 } from '../transaction-file.ts';

const TAG = encode(text(64), 'quorate/message/1' satisfies Tag);

const keySignature = struct<KeySignature>({ key: publicKey, signature: fixed(SIGNATURE_BYTES) });

/** The signature with its key, as base64. */
export function signMessage(key: SecretKey, message: Bytes): string {
  const signature = sign(key, concatBytes(TAG, message));
  return toBase64(encode(keySignature, { key: publicKeyOf(key), signature }));
}

/**
 * The key that signed `message`, which must be the only key of `address` where one is given. Refuses with SIGNATURE_MALFORMED,
 * SIGNATURE_INVALID, KEY_NOT_OF_ADDRESS.
 */
export function verifyMessage(text: string, message: Bytes, address: Address | null): Result<PublicKey, Fault> {
  const bytes = fromBase64(text.trim());
  const decoded = bytes && decode(keySignature, bytes);
  if (decoded === null || !decoded.ok)
    return refuse('SIGNATURE_MALFORMED', 'this is no signature of a message', 'give all of what wallet sign printed');
  const { key, signature } = decoded.value;
  if (!verify(key, concatBytes(TAG, message), signature))
    return refuse('SIGNATURE_INVALID', 'the signature is not over this message', 'compare the message byte for byte');
  if (address !== null && accountAddress(1, [key]) !== address)
    return refuse(
      'KEY_NOT_OF_ADDRESS',
      `the message was signed by another key than that of ${address}`,
      'an account with several keys, or with new ones, is checked by its keys on the ledger: quorate members accounts',
    );
  return ok(key);
}

const refuse = (code: string, message: string, hint: string) => err({ code, message, hint });
