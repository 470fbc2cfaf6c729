import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bytes, utf8 } from '../../../ledger/types/bytes.ts';
import type { ChainId, Hash, PublicKey } from '../../../ledger/types/ids.ts';
import { DIRECT_MESSAGE_BYTES_MAX, GOSSIP_MESSAGE_BYTES_MAX, GOSSIP_VOTE_REPEAT_MS } from '../../../node/limits.ts';
import { addressKey, peerAddress } from '../../../node/network/address.ts';
import { validatorBinding } from '../../../node/network/hello.ts';
import type { Verdict } from '../../../node/network/transport.ts';
import { ownTime } from '../../own-time.ts';
import {
  CHAIN,
  connected,
  eventually,
  keyOf,
  secretOf,
  startNode,
  stopAll,
  stopNode,
  type TestNode,
  wait,
} from './nodes.ts';

afterEach(stopAll);

async function startPair(): Promise<[TestNode, TestNode]> {
  const a = await startNode('a');
  const b = await startNode('b', { peers: [a.address] });
  await eventually('a and b are connected', () => connected(a, b));
  return [a, b];
}

describe('who may connect', () => {
  it('knows a peer by its node key and the validator that it proved to speak for', async () => {
    const [a, b] = await startPair();
    expect(addressKey(a.address)).toBe(keyOf('a'));
    expect(a.network.peers()[0]).toMatchObject({ key: keyOf('b'), direction: 'inbound' });
    expect(b.network.peers()[0]).toMatchObject({ key: keyOf('a'), direction: 'outbound' });
    expect(a.network.peerOf(b.validator)?.key).toBe(b.key);
    expect(a.network.peerOf(keyOf('nobody'))).toBeNull();
  });

  it('refuses a key that the ledger does not list, before any stream', async () => {
    const a = await startNode('a', { admit: key => key === keyOf('b') });
    const stranger = await startNode('stranger', { peers: [a.address] });
    const b = await startNode('b', { peers: [a.address] });
    await eventually('b is in', () => connected(a, b));
    await eventually('the stranger was refused', () => a.network.counters.refused > 0);
    expect(a.network.peers().map(peer => peer.key)).toEqual([b.key]);
    expect(stranger.ups).toEqual([]);
    expect(a.log).toContainEqual(expect.objectContaining({ code: 'NOT_ADMITTED', node: stranger.key }));
  });

  it('lets in a configured peer that the ledger does not list, and no other', async () => {
    const nobody = (): boolean => false;
    const a = await startNode('a', { admit: nobody, peers: [peerAddress(keyOf('b'), '127.0.0.1', 1)] });
    const b = await startNode('b', { admit: nobody, peers: [a.address] });
    const c = await startNode('c', { admit: nobody, peers: [a.address] });
    await eventually('both were configured', () => connected(a, b));
    await eventually('c was refused', () => a.network.counters.refused > 0);
    expect(c.ups).toEqual([]);
  });

  it('cuts a live connection when the ledger has dropped the key', async () => {
    const listed = new Set<PublicKey>([keyOf('b'), keyOf('c')]);
    const a = await startNode('a', { admit: key => listed.has(key) });
    const b = await startNode('b', { peers: [a.address] });
    const c = await startNode('c', { peers: [a.address] });
    await eventually('both are in', () => connected(a, b) && connected(a, c));
    listed.delete(b.key);
    a.network.readmit();
    await eventually('b is out', () => b.network.peers().length === 0);
    expect(a.downs).toEqual([{ key: b.key, end: 'NOT_ADMITTED' }]);
    await wait(500);
    expect(a.network.peers().map(peer => peer.key)).toEqual([c.key]);
    listed.add(b.key);
    await eventually('b is back in', () => connected(a, b));
  });
});

describe('hello', () => {
  const other = secretOf('someone else');
  const cases: { title: string; hello: Parameters<typeof startNode>[1]; code: string }[] = [
    { title: 'another genesis', hello: { hello: { genesisId: '22'.repeat(32) as Hash } }, code: 'GENESIS_MISMATCH' },
    { title: 'another chain', hello: { hello: { chainId: 'other' as ChainId } }, code: 'GENESIS_MISMATCH' },
    { title: 'another engine', hello: { hello: { engine: 'raft' } }, code: 'ENGINE_MISMATCH' },
    { title: 'another protocol version', hello: { hello: { protocolVersion: 2 } }, code: 'PROTOCOL_MISMATCH' },
    {
      title: 'a validator key that vouches for another node',
      hello: { hello: { validator: validatorBinding(other, keyOf('someone else'), CHAIN, keyOf('x')) } },
      code: 'VALIDATOR_BINDING_INVALID',
    },
    {
      title: 'a validator key that vouches on another chain',
      hello: {
        hello: { validator: validatorBinding(other, keyOf('someone else'), 'other' as ChainId, keyOf('b')) },
      },
      code: 'VALIDATOR_BINDING_INVALID',
    },
  ];
  it.each(cases)('with $title ends in $code', async ({ hello, code }) => {
    const both = code !== 'VALIDATOR_BINDING_INVALID';
    const a = await startNode('a');
    const b = await startNode('b', { peers: [a.address], ...hello });
    await eventually('a has cut b', () => a.log.some(line => line.code === code && line.message === 'peer cut'));
    expect(a.ups).toEqual([]);
    // Whoever differs is told in what; who vouches falsely finds the connection gone.
    if (both)
      await eventually('b knows why', () => b.log.some(line => line.code === code && line.message === 'peer cut'));
    else await eventually('b is cut', () => b.network.peers().length === 0);
    if (both) expect(b.ups).toEqual([]);
  });

  it('of an observer names no validator', async () => {
    const a = await startNode('a');
    const b = await startNode('b', { peers: [a.address], hello: { validator: null } });
    await eventually('connected', () => connected(a, b));
    expect(a.network.peers()[0]?.hello.validator).toBeNull();
    expect(a.network.peerOf(b.validator)).toBeNull();
  });
});

describe('connections', () => {
  it('are one for each pair of nodes that dial each other at once', async () => {
    const listen = async (): Promise<string> => {
      const server = createServer().listen(0, '127.0.0.1');
      await new Promise(resolve => server.once('listening', resolve));
      const { port } = server.address() as { port: number };
      await new Promise(resolve => server.close(resolve));
      return `127.0.0.1:${port}`;
    };
    const names = ['a', 'b', 'c', 'd'];
    const listens = await Promise.all(names.map(listen));
    const probes = await Promise.all(names.map((name, i) => startNode(name, { listen: listens[i]! })));
    const peers = probes.map(node => node.address);
    await stopAll();
    const nodes = await Promise.all(names.map((name, i) => startNode(name, { listen: listens[i]!, peers })));
    const full = (): boolean => nodes.every(node => node.network.peers().length === names.length - 1);
    await eventually('everyone is connected', full);
    await wait(1_500);
    expect(full()).toBe(true);
    const sent = nodes.flatMap(from =>
      nodes.filter(to => to !== from).map(to => from.network.sendTo(to.key, 'vote', utf8('x'))),
    );
    expect(sent.every(Boolean)).toBe(true);
    await eventually('every vote arrived', () => nodes.every(node => node.direct.length === 3));
  });

  it('come back within a second when a node has restarted', async () => {
    const [a, b] = await startPair();
    const listen = a.address.replace(/\/p2p\/.*/, '');
    await stopNode(a);
    await eventually('b noticed', () => b.network.peers().length === 0);
    await wait(1_500);
    const again = await startNode('a', { listen });
    const since = ownTime();
    await eventually('b is back', () => connected(again, b));
    expect(ownTime() - since).toBeLessThan(1_500);
    again.network.publish('blocks', utf8('after the restart'));
    await eventually('gossip flows again', () => b.gossiped.length === 1);
  });

  it('replace a half-open one when the peer dials anew', async () => {
    const a = await startNode('a');
    const b = await startNode('b', { peers: [a.address] });
    await eventually('connected', () => connected(a, b));
    // The same key from a second process, as after a crash that this side has not noticed.
    const twin = await startNode('b', { peers: [a.address] });
    await eventually('the new one is in', () => twin.network.peers().length === 1 && a.ups.length >= 2);
    // Both dial on, and each takes the other's place.
    expect(a.network.peers().length).toBeLessThanOrEqual(1);
  });

  it('name the port that is taken', async () => {
    const a = await startNode('a');
    const listen = a.address.replace(/\/p2p\/.*/, '');
    await expect(startNode('b', { listen })).rejects.toMatchObject({ code: 'PORT_IN_USE', data: { listen } });
  });
});

describe('direct messages', () => {
  it('arrive whole, in order and from a known peer', async () => {
    const [a, b] = await startPair();
    const messages = Array.from({ length: 500 }, (_, i) => new Uint8Array(i * 37).fill(i));
    for (const message of messages) expect(a.network.sendTo(b.key, 'vote', message)).toBe(true);
    expect(b.network.sendTo(a.key, 'transactions', utf8('batch'))).toBe(true);
    await eventually('all have arrived', () => b.direct.length === messages.length && a.direct.length === 1);
    expect(b.direct.map(each => each.bytes)).toEqual(messages);
    expect(b.direct.every(each => each.from === a.key && each.channel === 'vote')).toBe(true);
    expect(a.direct[0]).toEqual({ channel: 'transactions', bytes: utf8('batch'), from: b.key });
  });

  it('go to every peer while all validators are connected, and by gossip when one is not or the message is too large', async () => {
    const [a, b] = await startPair();
    await wait(200);
    a.network.spread('transactions', utf8('batch'), [b.validator]);
    a.network.spread('blocks', utf8('block'), [b.validator]);
    await eventually('both have arrived', () => b.direct.length === 2);
    expect(b.direct.map(({ channel, bytes }) => [channel, bytes])).toEqual([
      ['transactions', utf8('batch')],
      ['blocks', utf8('block')],
    ]);
    expect(b.gossiped).toEqual([]);
    a.network.spread('transactions', utf8('for all'), [b.validator, keyOf('nobody')]);
    a.network.spread('blocks', new Uint8Array(DIRECT_MESSAGE_BYTES_MAX + 1), [b.validator]);
    await eventually('both have been passed on', () => b.gossiped.length === 2);
    expect(b.direct).toHaveLength(2);
  });

  it('are declined for a node that is not connected', async () => {
    const a = await startNode('a');
    expect(a.network.sendTo(keyOf('b'), 'vote', utf8('x'))).toBe(false);
  });
});

describe('gossip', () => {
  /** a – b – c: a and c are not connected. */
  async function startLine(
    verdict: (bytes: Bytes) => Verdict = () => 'accept',
  ): Promise<[TestNode, TestNode, TestNode]> {
    const seen: Bytes[] = [];
    const b = await startNode('b', {
      handlers: {
        gossip: async (_topic, bytes) => {
          seen.push(bytes);
          return verdict(bytes);
        },
      },
    });
    const a = await startNode('a', { peers: [b.address] });
    const c = await startNode('c', { peers: [b.address] });
    await eventually('the line stands', () => connected(a, b) && connected(c, b));
    await wait(200);
    return [a, b, c];
  }

  it('carries votes between validators that are not connected, each sending once', async () => {
    const [a, b, c] = await startLine();
    expect(a.network.sendTo(c.key, 'vote', utf8('vote'))).toBe(false);
    a.network.publish('votes', utf8('vote'));
    await eventually('c has the vote', () => c.gossiped.length === 1);
    expect(c.gossiped[0]).toEqual({ topic: 'votes', bytes: utf8('vote'), from: b.key });
    // Sent again by an engine that is still undecided, it has to arrive again, but not in a burst.
    a.network.publish('votes', utf8('vote'));
    await wait(100);
    expect(c.gossiped).toHaveLength(1);
    await wait(GOSSIP_VOTE_REPEAT_MS);
    a.network.publish('votes', utf8('vote'));
    await eventually('c has it again', () => c.gossiped.length === 2);
  });

  it('brings a message once, however many peers pass it on', async () => {
    const a = await startNode('a');
    const b = await startNode('b', { peers: [a.address] });
    const c = await startNode('c', { peers: [a.address, b.address] });
    const d = await startNode('d', { peers: [a.address, b.address, c.address] });
    const nodes = [a, b, c, d];
    await eventually('all are connected', () => nodes.every(node => node.network.peers().length === 3));
    await wait(200);
    for (let i = 0; i < 20; i++) {
      nodes[i % 4]!.network.publish('transactions', new Uint8Array(20_000).fill(i));
      nodes[i % 4]!.network.publish('transactions', new Uint8Array(20_000).fill(i));
    }
    await eventually('everyone has what the others sent', () => nodes.every(node => node.gossiped.length === 15));
    await wait(300);
    expect(nodes.map(node => node.gossiped.length)).toEqual([15, 15, 15, 15]);
  });

  it('carries messages up to its bound and says so of larger ones', async () => {
    const [a, b] = await startPair();
    await wait(200);
    expect(a.network.publish('blocks', new Uint8Array(GOSSIP_MESSAGE_BYTES_MAX + 1))).toBe(false);
    expect(a.network.publish('blocks', new Uint8Array(GOSSIP_MESSAGE_BYTES_MAX).fill(7))).toBe(true);
    await eventually('the block is there', () => b.gossiped.length === 1);
    expect(b.gossiped[0]!.bytes).toHaveLength(GOSSIP_MESSAGE_BYTES_MAX);
  });

  it.each(['ignore', 'reject'] as const)('passes nothing on that was judged %s', async verdict => {
    const [a, , c] = await startLine(bytes => (bytes[0] === 1 ? verdict : 'accept'));
    a.network.publish('blocks', Uint8Array.of(1));
    a.network.publish('blocks', Uint8Array.of(2));
    await eventually('the good one is through', () => c.gossiped.length === 1);
    await wait(200);
    expect(c.gossiped.map(each => each.bytes)).toEqual([Uint8Array.of(2)]);
  });

  it('cuts a peer whose messages keep being rejected, and hears the others', async () => {
    const [a, b, c] = await startLine(bytes => (bytes[0] === 1 ? 'reject' : 'accept'));
    for (let i = 0; i < 40; i++) a.network.publish('blocks', Uint8Array.of(1, i));
    await eventually('a is out', () => b.downs.some(down => down.key === a.key && down.end === 'GOSSIP_INVALID'));
    c.network.publish('blocks', Uint8Array.of(2));
    await eventually('c is heard', () => b.network.counters.gossipAccepted === 1);
    expect(b.network.peers().map(peer => peer.key)).toEqual([c.key]);
  });
});
