import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../ledger/types/bytes.ts';
import {
  GOSSIP_BURST_MAX,
  GOSSIP_MESSAGES_PER_SECOND_MAX,
  GOSSIP_REJECTED_MAX,
  GOSSIP_RELAYED_MAX,
  GOSSIP_RELAYED_PER_PEER_MAX,
  GOSSIP_VALIDATING_BYTES_MAX,
  GOSSIP_VALIDATING_MESSAGES_MAX,
  GOSSIP_VOTE_REPEAT_MS,
  GOSSIP_VOTES_REMEMBERED_MAX,
} from '../../../node/limits.ts';
import { createGossipGuard, createRelayAllowance, createVoteMemory } from '../../../node/network/gossip-guard.ts';
import type { Verdict } from '../../../node/network/transport.ts';

const SMALL = utf8('message');

function scene() {
  const clock = { now: 0 };
  const offences: string[] = [];
  return {
    clock,
    offences,
    guard: createGossipGuard(
      () => clock.now,
      code => offences.push(code),
    ),
  };
}

describe('gossip guard', () => {
  it('cuts a peer above its rate, and not one at it', async () => {
    const { clock, offences, guard } = scene();
    const accept = async (): Promise<Verdict> => 'accept';
    for (let i = 0; i < GOSSIP_BURST_MAX; i++) await guard.judge(SMALL, accept);
    for (let second = 0; second < 10; second++) {
      clock.now += 1_000;
      for (let i = 0; i < GOSSIP_MESSAGES_PER_SECOND_MAX; i++) await guard.judge(SMALL, accept);
    }
    expect(offences).toEqual([]);
    expect(await guard.judge(SMALL, accept)).toBe('ignore');
    expect(offences).toEqual(['GOSSIP_FLOOD']);
  });

  it('cuts a peer whose messages keep being rejected, and forgives a few', async () => {
    const { clock, offences, guard } = scene();
    const reject = async (): Promise<Verdict> => 'reject';
    for (let i = 0; i < GOSSIP_REJECTED_MAX; i++) expect(await guard.judge(SMALL, reject)).toBe('reject');
    for (let second = 0; second < 20; second++) {
      clock.now += 1_000;
      await guard.judge(SMALL, reject);
    }
    expect(offences).toEqual([]);
    await guard.judge(SMALL, reject);
    expect(offences).toEqual(['GOSSIP_INVALID']);
  });

  it('validates a bounded number of messages and bytes at a time', async () => {
    for (const [size, max] of [
      [1, GOSSIP_VALIDATING_MESSAGES_MAX],
      [GOSSIP_VALIDATING_BYTES_MAX / 4, 4],
    ] as const) {
      const { guard } = scene();
      const { promise, resolve } = Promise.withResolvers<Verdict>();
      let validating = 0;
      const bytes = new Uint8Array(size);
      const slow = (): Promise<Verdict> => {
        validating += 1;
        return promise;
      };
      const judged = Array.from({ length: max + 5 }, () => guard.judge(bytes, slow));
      expect(validating).toBe(max);
      resolve('accept');
      await Promise.all(judged);
      await guard.judge(bytes, slow);
      expect(validating).toBe(max + 1);
    }
  });

  it('hears more than it passes on, for one peer and for all, so that nobody is cut for what others say', async () => {
    const clock = { now: 0 };
    const relay = createRelayAllowance(() => clock.now);
    const offences: string[] = [];
    const peers = Array.from({ length: 20 }, () =>
      createGossipGuard(
        () => clock.now,
        code => offences.push(code),
        relay,
      ),
    );
    let heard = 0;
    const accept = async (): Promise<Verdict> => {
      heard += 1;
      return 'accept';
    };
    const passedOn = async (guard: (typeof peers)[number], count: number): Promise<number> => {
      let relayed = 0;
      for (let i = 0; i < count; i++) if ((await guard.judge(SMALL, accept)) === 'accept') relayed += 1;
      return relayed;
    };
    clock.now += 10_000;
    expect(await passedOn(peers[0]!, GOSSIP_MESSAGES_PER_SECOND_MAX)).toBe(2 * GOSSIP_RELAYED_PER_PEER_MAX);
    clock.now += 1_000;
    expect(await passedOn(peers[0]!, GOSSIP_MESSAGES_PER_SECOND_MAX)).toBe(GOSSIP_RELAYED_PER_PEER_MAX);
    clock.now += 10_000;
    let relayed = 0;
    for (const peer of peers) relayed += await passedOn(peer, 1_000);
    expect(relayed).toBe(2 * GOSSIP_RELAYED_MAX);
    expect(heard).toBe(2 * GOSSIP_MESSAGES_PER_SECOND_MAX + 20_000);
    expect(offences).toEqual([]);
    // What one honest node passes on and says itself stays below what another cuts it for.
    expect(2 * GOSSIP_RELAYED_MAX).toBeLessThanOrEqual(GOSSIP_BURST_MAX);
  });

  it('frees its places when a validation throws', async () => {
    const { guard } = scene();
    const broken = async (): Promise<Verdict> => {
      throw new Error('broken');
    };
    for (let i = 0; i < GOSSIP_VALIDATING_MESSAGES_MAX + 10; i++) {
      await expect(guard.judge(SMALL, broken)).rejects.toThrow('broken');
    }
  });
});

describe('vote memory', () => {
  it('knows a vote again for a moment and no longer', () => {
    const clock = { now: 0 };
    const memory = createVoteMemory(() => clock.now);
    expect(memory.repeated(utf8('vote'))).toBe(false);
    expect(memory.repeated(utf8('vote'))).toBe(true);
    expect(memory.repeated(utf8('other'))).toBe(false);
    clock.now += GOSSIP_VOTE_REPEAT_MS;
    expect(memory.repeated(utf8('vote'))).toBe(false);
  });

  it('forgets the oldest above its bound', () => {
    const memory = createVoteMemory(() => 0);
    memory.repeated(utf8('first'));
    for (let i = 0; i < GOSSIP_VOTES_REMEMBERED_MAX; i++) memory.repeated(utf8(`vote ${i}`));
    expect(memory.repeated(utf8('first'))).toBe(false);
    expect(memory.repeated(utf8(`vote ${GOSSIP_VOTES_REMEMBERED_MAX - 1}`))).toBe(true);
  });
});
