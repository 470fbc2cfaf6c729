/**
 * Where a node listens and how it is found. A peer's address is a multiaddr that ends with its peer id, which is its node key:
 * the identity multihash of the key's protobuf form (libp2p peer-ids specification), in base58.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { base58 } from '@scure/base';
import { assert } from '../../ledger/types/assert.ts';
import { concatBytes, equalBytes, fromHex, toHex } from '../../ledger/types/bytes.ts';
import type { PublicKey } from '../../ledger/types/ids.ts';

/** Identity multihash of 36 bytes: key type 1 (ed25519), then 32 key bytes. */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
const PEER_ID_BYTES = PEER_ID_PREFIX.length + 32;

/** The peer id of an ed25519 node key, `12D3Koo…`. */
export function peerIdText(key: PublicKey): string {
  assert(key.startsWith('01'), 'a node key is ed25519');
  return base58.encode(concatBytes(PEER_ID_PREFIX, fromHex(key.slice(2))!));
}

/** The node key of a peer id; null where it is not that of an ed25519 key. */
export function parsePeerId(text: string): PublicKey | null {
  if (text.length > 64 || !/^[1-9A-HJ-NP-Za-km-z]+$/.test(text)) return null;
  const bytes = base58.decode(text);
  if (bytes.length !== PEER_ID_BYTES || !equalBytes(bytes.subarray(0, PEER_ID_PREFIX.length), PEER_ID_PREFIX))
    return null;
  return `01${toHex(bytes.subarray(PEER_ID_PREFIX.length))}` as PublicKey;
}

function hostPart(host: string): string {
  if (isIPv4(host)) return `/ip4/${host}`;
  if (isIPv6(host)) return `/ip6/${host}`;
  return `/dns/${host}`;
}

/** The multiaddr under which others reach the node of `key`. */
export function peerAddress(key: PublicKey, host: string, port: number): string {
  return `${hostPart(host)}/tcp/${port}/p2p/${peerIdText(key)}`;
}

/** The node key that an address names; null where it names none. */
export function addressKey(address: string): PublicKey | null {
  const at = address.lastIndexOf('/p2p/');
  return at < 0 ? null : parsePeerId(address.slice(at + '/p2p/'.length));
}

/** The multiaddr of `host:port`, `[ipv6]:port` or of a multiaddr; null where `text` is none of them. */
export function listenAddress(text: string): string | null {
  if (/^\/(ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d{1,5}$/.test(text)) return text;
  const parts = /^(?:\[([^\]]+)\]|([^:/\s]+)):(\d{1,5})$/.exec(text);
  if (!parts || Number(parts[3]) > 65_535) return null;
  return `${hostPart(parts[1] ?? parts[2]!)}/tcp/${parts[3]}`;
}
