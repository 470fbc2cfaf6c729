import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex } from '../../../ledger/types/bytes.ts';
import { addressKey, listenAddress, parsePeerId, peerAddress, peerIdText } from '../../../node/network/address.ts';
import { keyOf, secretOf } from './nodes.ts';

describe('address', () => {
  it.each(['a', 'b', 'c'])('gives the peer id that libp2p gives (%s)', name => {
    const key = keyOf(name);
    const raw = concatBytes(secretOf(name).secret, fromHex(key.slice(2))!);
    expect(peerIdText(key)).toBe(peerIdFromPrivateKey(privateKeyFromRaw(raw)).toString());
    expect(parsePeerId(peerIdText(key))).toBe(key);
  });

  it.each([
    '',
    'x',
    '0OIl',
    'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
    `${peerIdText(keyOf('a'))}1`,
    'z'.repeat(1_000),
  ])('finds no node key in %j', text => {
    expect(parsePeerId(text)).toBeNull();
  });

  it.each([
    ['127.0.0.1', '/ip4/127.0.0.1/tcp/7400'],
    ['::1', '/ip6/::1/tcp/7400'],
    ['node0.example.org', '/dns/node0.example.org/tcp/7400'],
  ])('writes the address of %s as a multiaddr that names its key', (host, text) => {
    const address = peerAddress(keyOf('a'), host, 7400);
    expect(address).toBe(`${text}/p2p/${peerIdText(keyOf('a'))}`);
    expect(multiaddr(address).toString()).toBe(address);
    expect(addressKey(address)).toBe(keyOf('a'));
    expect(addressKey(text)).toBeNull();
  });

  it.each([
    ['127.0.0.1:7400', '/ip4/127.0.0.1/tcp/7400'],
    ['[::]:0', '/ip6/::/tcp/0'],
    ['localhost:7400', '/dns/localhost/tcp/7400'],
    ['/ip4/0.0.0.0/tcp/7400', '/ip4/0.0.0.0/tcp/7400'],
    ['127.0.0.1', null],
    ['127.0.0.1:70000', null],
    [':7400', null],
    ['/ip4/0.0.0.0/udp/7400/quic', null],
  ])('reads where to listen from %s', (text, address) => {
    expect(listenAddress(text)).toBe(address);
  });
});
