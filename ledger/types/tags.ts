/**
 * Domain tags. Every hashed or signed byte string of this ledger begins with one of these and the chain id, so that
 * bytes made for one purpose or network never pass for another. Written constants: a change is a new protocol.
 */

import { type Bytes, concatBytes } from './bytes.ts';
import { encode, text } from './codec.ts';
import { type ChainId, chainId as chainIdCodec } from './ids.ts';

export type Tag =
  | 'quorate/genesis/1'
  | 'quorate/transaction/1'
  | 'quorate/transaction-signature/1'
  | 'quorate/block/1'
  | 'quorate/validators/1'
  | 'quorate/account/1'
  | 'quorate/message/1'
  | 'quorate/hello/1'
  | 'quorate/proof/1'
  | 'quorate/work-proof/1'
  /** What an engine's messages sign: engine, then message. */
  | `quorate/${string}/${string}/1`;

const tagCodec = text(64);

const prefixes = new Map<Tag, Map<ChainId, Bytes>>();

/** `tag ‖ chain id`, both with their length in front: what a tagged byte string begins with. */
export function tagged(tag: Tag, chainId: ChainId): Bytes {
  const ofTag = prefixes.get(tag) ?? new Map<ChainId, Bytes>();
  let prefix = ofTag.get(chainId);
  if (prefix === undefined) {
    prefix = concatBytes(encode(tagCodec, tag), encode(chainIdCodec, chainId));
    // A process serves one chain, a test a few: the bound only keeps a hostile caller from growing the table.
    if (ofTag.size > 100) ofTag.clear();
    prefixes.set(tag, ofTag.set(chainId, prefix));
  }
  return prefix;
}
