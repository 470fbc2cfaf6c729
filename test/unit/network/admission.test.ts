import { describe, expect, it } from 'vitest';
import type { PublicKey } from '../../../ledger/types/ids.ts';
import { BAN_MS, DUPLICATE_MS } from '../../../node/limits.ts';
import { createAdmission } from '../../../node/network/admission.ts';
import type { Candidate, Direction } from '../../../node/network/transport.ts';

const SELF = '01bb' as PublicKey;
const SMALLER = '01aa' as PublicKey;
const LARGER = '01cc' as PublicKey;

function candidate(key: PublicKey, direction: Direction): Candidate & { aborted: boolean } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const made = { key, direction, closed: promise, aborted: false, abort: () => {} };
  made.abort = () => {
    made.aborted = true;
    resolve();
  };
  return made;
}

function scene(listed: readonly PublicKey[] = [SMALLER, LARGER]) {
  const clock = { now: 1_000 };
  return {
    clock,
    admission: createAdmission({ self: SELF, admits: key => listed.includes(key), now: () => clock.now }),
  };
}

describe('admission', () => {
  it('refuses who is not listed, and this node itself', () => {
    const { admission } = scene([SELF]);
    expect(admission.refusal(candidate(SMALLER, 'inbound'))).toBe('NOT_ADMITTED');
    expect(admission.refusal(candidate(SELF, 'inbound'))).toBe('NOT_ADMITTED');
  });

  it('refuses a banned key until the ban is over', () => {
    const { admission, clock } = scene();
    admission.ban(SMALLER);
    expect(admission.refusal(candidate(SMALLER, 'outbound'))).toBe('BANNED');
    expect(admission.refusal(candidate(LARGER, 'inbound'))).toBeNull();
    clock.now += BAN_MS;
    expect(admission.refusal(candidate(SMALLER, 'outbound'))).toBeNull();
    expect(admission.bans).toBe(0);
  });

  it('remembers a bounded number of bans', () => {
    const { admission } = scene();
    for (let i = 0; i < 5_000; i++) admission.ban(`01${i}` as PublicKey);
    expect(admission.bans).toBeLessThanOrEqual(1_000);
  });

  // The peer, the direction of the connection that is there, of the one that comes, and which of them stays.
  const duplicates: [string, PublicKey, Direction, Direction, 'first' | 'second'][] = [
    ['dialled by the smaller key, here', LARGER, 'inbound', 'outbound', 'second'],
    ['dialled by the smaller key, here, first', LARGER, 'outbound', 'inbound', 'first'],
    ['dialled by the smaller key, there', SMALLER, 'outbound', 'inbound', 'second'],
    ['dialled by the smaller key, there, first', SMALLER, 'inbound', 'outbound', 'first'],
    ['again in the same direction', SMALLER, 'inbound', 'inbound', 'second'],
  ];
  it.each(duplicates)('keeps of two connections at once the one %s', (_title, key, first, second, stays) => {
    const { admission } = scene();
    const one = candidate(key, first);
    const two = candidate(key, second);
    expect(admission.refusal(one)).toBeNull();
    expect(admission.refusal(two)).toBe(stays === 'second' ? null : 'ALREADY_CONNECTED');
    expect(one.aborted).toBe(stays === 'second');
  });

  it('gives both ends of a double dial the same answer, in whatever order each sees them', () => {
    const a = '01aa' as PublicKey;
    const b = '01bb' as PublicKey;
    for (const orderAtA of [
      ['outbound', 'inbound'],
      ['inbound', 'outbound'],
    ] as const) {
      for (const orderAtB of [
        ['outbound', 'inbound'],
        ['inbound', 'outbound'],
      ] as const) {
        const kept = ([self, other, order]: readonly [PublicKey, PublicKey, readonly Direction[]]): Direction => {
          const admission = createAdmission({ self, admits: () => true, now: () => 0 });
          const seen = order.map(direction => candidate(other, direction));
          const judged = seen.map(each => ({ each, refused: admission.refusal(each) !== null }));
          return judged.find(({ each, refused }) => !refused && !each.aborted)!.each.direction;
        };
        expect([kept([a, b, orderAtA]), kept([b, a, orderAtB])]).toEqual(['outbound', 'inbound']);
      }
    }
  });

  it('lets a later connection replace an older one: the peer has lost it', () => {
    const { admission, clock } = scene();
    const old = candidate(SMALLER, 'inbound');
    admission.refusal(old);
    clock.now += DUPLICATE_MS + 1;
    expect(admission.refusal(candidate(SMALLER, 'outbound'))).toBeNull();
    expect(old.aborted).toBe(true);
  });

  it('forgets a connection that has closed', async () => {
    const { admission } = scene();
    const gone = candidate(LARGER, 'outbound');
    admission.refusal(gone);
    gone.abort();
    await Promise.resolve();
    expect(admission.refusal(candidate(LARGER, 'inbound'))).toBeNull();
  });
});
