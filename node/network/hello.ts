/**
 * What two nodes tell each other before anything else: which network, which engine, how far, and for a validator the proof
 * that this node speaks for it. Both must name the same genesis, engine and protocol version.
 */
import { sign, verify } from '#crypto';
import type { SecretKey } from '../../ledger/crypto/port.ts';
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';
import { type Codec, decode, encode, fixed, option, struct, text, uint } from '../../ledger/types/codec.ts';
import { err, ok, type Result } from '../../ledger/types/errors.ts';
import {
  type ChainId,
  chainId,
  type Hash,
  type Height,
  hash,
  height,
  type NodeId,
  type PublicKey,
  publicKey,
} from '../../ledger/types/ids.ts';
import { tagged } from '../../ledger/types/tags.ts';
import { SIGNATURE_BYTES } from '../../ledger/types/transaction.ts';
import { HELLO_BYTES_MAX } from '../limits.ts';

export const PROTOCOL_VERSION = 1;

export interface Hello {
  readonly protocolVersion: number;
  readonly chainId: ChainId;
  readonly genesisId: Hash;
  /** The engine's name in genesis. */
  readonly engine: string;
  /** The sender's height, a hint and never a promise. */
  readonly height: Height;
  /** null: an observer. */
  readonly validator: { readonly key: NodeId; readonly signature: Bytes } | null;
}

export const hello: Codec<Hello> = struct({
  protocolVersion: uint(),
  chainId,
  genesisId: hash,
  engine: text(32),
  height,
  validator: option(struct({ key: publicKey, signature: fixed(SIGNATURE_BYTES) })),
});

/** The bytes by which a validator key vouches for a node key: tag, chain id, node key. */
const bindingPayload = (chain: ChainId, nodeKey: PublicKey): Bytes =>
  concatBytes(tagged('quorate/hello/1', chain), encode(publicKey, nodeKey));

/** The `validator` field of a hello: `key` vouches that the node of `nodeKey` speaks for it. */
export function validatorBinding(
  key: SecretKey,
  validator: NodeId,
  chain: ChainId,
  nodeKey: PublicKey,
): NonNullable<Hello['validator']> {
  return { key: validator, signature: sign(key, bindingPayload(chain, nodeKey)) };
}

export type HelloRefusal =
  | 'HELLO_MALFORMED'
  | 'PROTOCOL_MISMATCH'
  | 'GENESIS_MISMATCH'
  | 'ENGINE_MISMATCH'
  | 'VALIDATOR_BINDING_INVALID';

/** Judges the hello of the node whose key the handshake proved to be `from`. */
export function acceptHello(bytes: Bytes, from: PublicKey, own: Hello): Result<Hello, HelloRefusal> {
  if (bytes.length > HELLO_BYTES_MAX) return err('HELLO_MALFORMED');
  const decoded = decode(hello, bytes);
  if (!decoded.ok) return err(otherVersion(bytes) ? 'PROTOCOL_MISMATCH' : 'HELLO_MALFORMED');
  const theirs = decoded.value;
  if (theirs.protocolVersion !== own.protocolVersion) return err('PROTOCOL_MISMATCH');
  if (theirs.chainId !== own.chainId || theirs.genesisId !== own.genesisId) return err('GENESIS_MISMATCH');
  if (theirs.engine !== own.engine) return err('ENGINE_MISMATCH');
  if (theirs.validator) {
    const { key, signature } = theirs.validator;
    if (!verify(key, bindingPayload(theirs.chainId, from), signature)) return err('VALIDATOR_BINDING_INVALID');
  }
  return ok(theirs);
}

/** Another version may have another form, but its number always comes first. */
function otherVersion(bytes: Bytes): boolean {
  const version = decode(uint(), bytes.subarray(0, Math.max(1, bytes.findIndex(byte => byte < 0x80) + 1)));
  return version.ok && version.value !== PROTOCOL_VERSION;
}
