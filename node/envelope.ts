/**
 * How a consensus message travels: its sender's validator key, the engine's encoding, and the signature over the payload
 * that the engine names. Opening one decodes and judges its form; its signatures are still to be verified.
 */

import { sign } from '#crypto';
import type { ConsensusCore, CoreModule } from '../consensus/core.ts';
import type { SecretKey } from '../ledger/crypto/port.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import { bytes, type Codec, decode, encode, fixed, struct } from '../ledger/types/codec.ts';
import { type ChainId, type NodeId, publicKey } from '../ledger/types/ids.ts';
import { SIGNATURE_BYTES } from '../ledger/types/transaction.ts';

interface Envelope {
  readonly from: NodeId;
  readonly message: Bytes;
  readonly signature: Bytes;
}

/** Room for the key, the signature and the length in front of an engine's largest message. */
const OVERHEAD_BYTES = 128;

const envelope = (messageBytesMax: number): Codec<Envelope> =>
  struct({ from: publicKey, message: bytes(messageBytesMax), signature: fixed(SIGNATURE_BYTES) });

/** A signature to verify before the message that holds it may be stepped. */
export interface Claim {
  readonly signer: NodeId;
  readonly signed: Bytes;
  readonly signature: Bytes;
}

export interface Opened<M> {
  readonly from: NodeId;
  readonly message: M;
  readonly signature: Bytes;
  /** The envelope's own signature first. */
  readonly claims: readonly Claim[];
}

export interface Envelopes<M> {
  readonly bytesMax: number;
  /** Signs `message` and encodes it for the wire. */
  seal(message: M, from: NodeId, key: SecretKey): { readonly bytes: Bytes; readonly signature: Bytes };
  /** `malformed`: no honest peer sends it; `useless`: of no use to the core now. */
  open(wire: Bytes): Opened<M> | 'malformed' | 'useless';
}

export function envelopes<M>(chainId: ChainId, module: CoreModule<M>, core: ConsensusCore<M>): Envelopes<M> {
  const codec = envelope(module.spec.messageBytesMax);
  return {
    bytesMax: module.spec.messageBytesMax + OVERHEAD_BYTES,
    seal(message, from, key) {
      const signature = sign(key, module.signed(chainId, message));
      return { bytes: encode(codec, { from, message: encode(module.codec, message), signature }), signature };
    },
    open(wire) {
      const outer = decode(codec, wire);
      if (!outer.ok) return 'malformed';
      const { from, signature } = outer.value;
      const inner = decode(module.codec, outer.value.message);
      if (!inner.ok) return 'malformed';
      const claims = core.claims(inner.value);
      if (claims === null) return 'useless';
      const own = { signer: from, signed: module.signed(chainId, inner.value), signature };
      return { from, message: inner.value, signature, claims: [own, ...claims] };
    },
  };
}
