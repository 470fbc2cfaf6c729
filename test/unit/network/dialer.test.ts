import { afterEach, describe, expect, it } from 'vitest';
import type { PublicKey } from '../../../ledger/types/ids.ts';
import { REDIAL_MS_MAX, REDIAL_MS_MIN } from '../../../node/limits.ts';
import { peerAddress } from '../../../node/network/address.ts';
import { createDialer, type Dialer } from '../../../node/network/dialer.ts';
import { ownTime } from '../../own-time.ts';
import { eventually, keyOf, wait } from './nodes.ts';

const SELF = keyOf('self');
const PEER = keyOf('peer');
const ADDRESS = peerAddress(PEER, '127.0.0.1', 7400);

const running: Dialer[] = [];
afterEach(() => {
  for (const dialer of running.splice(0)) dialer.stop();
});

function scene(answer: (attempt: number) => Promise<PublicKey>, addresses = [ADDRESS]) {
  const dials: { address: string; at: number; own: number }[] = [];
  const up = new Set<PublicKey>();
  const dialer = createDialer({
    self: SELF,
    addresses,
    dial(address) {
      dials.push({ address, at: performance.now(), own: ownTime() });
      return answer(dials.length);
    },
    connected: key => up.has(key),
    random: Math.random,
  });
  running.push(dialer);
  return { dialer, dials, up };
}

const refuse = async (): Promise<PublicKey> => {
  throw new Error('nobody there');
};

describe('dialer', () => {
  it('dials again and again, ever more rarely, never past the bound', async () => {
    const { dialer, dials } = scene(refuse);
    dialer.start();
    await eventually('six dials', () => dials.length >= 6);
    const gaps = dials.slice(1).map(({ own }, i) => own - dials[i]!.own);
    expect(gaps[0]).toBeLessThan(REDIAL_MS_MIN * 3);
    expect(dials[5]!.at - dials[4]!.at).toBeGreaterThan(REDIAL_MS_MAX / 2 - 50);
    expect(Math.max(...gaps)).toBeLessThan(REDIAL_MS_MAX + 300);
  });

  it('leaves a connected peer alone, and comes back soon after it is lost', async () => {
    const { dialer, dials, up } = scene(async () => {
      up.add(PEER);
      dialer.up(PEER);
      return PEER;
    });
    dialer.start();
    await wait(500);
    expect(dials).toHaveLength(1);
    up.delete(PEER);
    const lost = ownTime();
    dialer.down(PEER, false);
    await eventually('dialled again', () => dials.length === 2);
    expect(dials[1]!.own - lost).toBeLessThan(REDIAL_MS_MIN * 2);
  });

  it('backs off from a connection that never becomes a peer', async () => {
    const { dialer, dials } = scene(async () => PEER);
    dialer.start();
    await wait(1_500);
    expect(dials.length).toBeLessThan(8);
  });

  it('leaves a peer that refused it for good alone for long', async () => {
    const { dialer, dials } = scene(async () => {
      queueMicrotask(() => dialer.down(PEER, true));
      return PEER;
    });
    dialer.start();
    await wait(1_500);
    expect(dials.length).toBeLessThanOrEqual(2);
  });

  it('never dials itself, and dials an address without a key', async () => {
    const open = '/ip4/127.0.0.1/tcp/7410';
    const { dialer, dials, up } = scene(async () => {
      up.add(PEER);
      return PEER;
    }, [peerAddress(SELF, '127.0.0.1', 7400), open]);
    dialer.start();
    await wait(300);
    expect(dials.map(({ address }) => address)).toEqual([open]);
  });

  it('stops', async () => {
    const { dialer, dials } = scene(refuse);
    dialer.start();
    await eventually('dialling', () => dials.length > 0);
    dialer.stop();
    const before = dials.length;
    await wait(500);
    expect(dials).toHaveLength(before);
  });
});
