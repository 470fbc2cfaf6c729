import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../../ledger/types/bytes.ts';
import { encode } from '../../../ledger/types/codec.ts';
import type { ChainId, Hash } from '../../../ledger/types/ids.ts';
import { acceptHello, type Hello, hello, PROTOCOL_VERSION, validatorBinding } from '../../../node/network/hello.ts';
import { CHAIN, GENESIS, keyOf, secretOf } from './nodes.ts';

const node = keyOf('node');
const binding = validatorBinding(secretOf('validator'), keyOf('validator'), CHAIN, node);
const valid: Hello = {
  protocolVersion: PROTOCOL_VERSION,
  chainId: CHAIN,
  genesisId: GENESIS,
  engine: 'pbft',
  height: 12,
  validator: binding,
};

describe('hello', () => {
  it('is accepted where network, engine, version and binding agree', () => {
    expect(acceptHello(encode(hello, valid), node, valid)).toEqual({ ok: true, value: valid });
    const observer = { ...valid, validator: null };
    expect(acceptHello(encode(hello, observer), node, valid)).toEqual({ ok: true, value: observer });
  });

  const otherChain = 'other' as ChainId;
  const refused: [string, Partial<Hello>, string][] = [
    ['another version', { protocolVersion: PROTOCOL_VERSION + 1 }, 'PROTOCOL_MISMATCH'],
    ['another chain', { chainId: otherChain }, 'GENESIS_MISMATCH'],
    ['another genesis', { genesisId: 'ab'.repeat(32) as Hash }, 'GENESIS_MISMATCH'],
    ['another engine', { engine: 'raft' }, 'ENGINE_MISMATCH'],
    [
      'a binding for another node',
      { validator: validatorBinding(secretOf('validator'), keyOf('validator'), CHAIN, keyOf('x')) },
      'VALIDATOR_BINDING_INVALID',
    ],
    [
      'a binding on another chain',
      { validator: validatorBinding(secretOf('validator'), keyOf('validator'), otherChain, node) },
      'VALIDATOR_BINDING_INVALID',
    ],
    ['a binding by another key', { validator: { ...binding, key: keyOf('someone') } }, 'VALIDATOR_BINDING_INVALID'],
    ['a changed signature', { validator: { ...binding, signature: new Uint8Array(64) } }, 'VALIDATOR_BINDING_INVALID'],
  ];
  it.each(refused)('with %s is refused', (_title, change, code) => {
    expect(acceptHello(encode(hello, { ...valid, ...change }), node, valid)).toEqual({ ok: false, error: code });
  });

  it('that is no hello of this version is told from one of another', () => {
    const refusal = (bytes: Uint8Array): unknown => acceptHello(bytes, node, valid);
    expect(refusal(new Uint8Array(0))).toEqual({ ok: false, error: 'HELLO_MALFORMED' });
    expect(refusal(Uint8Array.of(PROTOCOL_VERSION))).toEqual({ ok: false, error: 'HELLO_MALFORMED' });
    expect(refusal(new Uint8Array(20).fill(255))).toEqual({ ok: false, error: 'HELLO_MALFORMED' });
    expect(refusal(concatBytes(encode(hello, valid), utf8('x')))).toEqual({ ok: false, error: 'HELLO_MALFORMED' });
    expect(refusal(concatBytes(Uint8Array.of(2), utf8('a later form')))).toEqual({
      ok: false,
      error: 'PROTOCOL_MISMATCH',
    });
    expect(refusal(new Uint8Array(100_000))).toEqual({ ok: false, error: 'HELLO_MALFORMED' });
  });

  it('never throws on any input', () => {
    const bytes = encode(hello, valid);
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        const changed = bytes.slice();
        changed[at]! ^= flip;
        const judged = acceptHello(changed, node, valid);
        // Only the height is free to change.
        if (judged.ok) expect({ ...judged.value, height: valid.height }).toEqual(valid);
      }
      expect(acceptHello(bytes.subarray(0, at), node, valid).ok).toBe(false);
    }
  });
});
