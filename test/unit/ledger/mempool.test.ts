import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeAbove } from '../../../ledger/admission.ts';
import type { Taken } from '../../../ledger/build.ts';
import { identify } from '../../../ledger/crypto/ids.ts';
import { createMempool, MEMPOOL_LIMITS, type Mempool, type MempoolLimits } from '../../../ledger/mempool.ts';
import { rotateKeys } from '../../../ledger/modules/members/rotate-keys.ts';
import { transfer } from '../../../ledger/modules/tokens/transfer.ts';
import type { ChainId, TransactionId } from '../../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../../ledger/types/transaction.ts';
import {
  alice,
  applied,
  board,
  bob,
  clerk,
  GENESIS_TIME,
  type Holder,
  key,
  network,
  type Options,
  op,
  stranger,
  transaction,
} from './network.ts';

const net = network();
const TIME = GENESIS_TIME + 1_000;
const here = placeAbove(net.start, TIME);
const pay = (sender: Holder, options: Options = {}) =>
  transaction(sender, [op(transfer, { token: 'QRT', to: bob.address, amount: 1n })], options);
const pool = (limits: Partial<MempoolLimits> = {}) => createMempool(net.rules, { ...MEMPOOL_LIMITS, ...limits });
const admit = (into: Mempool, each: IdentifiedTransaction, now = 0) => {
  const result = into.admit(now, here, each);
  return result.ok ? 'ok' : result.error.code;
};
/** The ids that a block takes which has room for so many. */
function taken(from: Mempool, room = 1_000): TransactionId[] {
  const ids: TransactionId[] = [];
  from.offer(each => {
    if (ids.length === room) return { type: 'full' };
    ids.push(each.id);
    return { type: 'taken' };
  });
  return ids;
}
const nothing = 'f'.repeat(64) as TransactionId;
const FULL: [string, string, Partial<MempoolLimits>, Holder[]][] = [
  ['as many as there may be', 'ok', { transactionsMax: 3 }, [alice, alice, alice]],
  ['one too many', 'POOL_FULL', { transactionsMax: 2 }, [alice, clerk, stranger]],
  ['too many bytes', 'POOL_FULL', { bytesMax: 2 * pay(alice).size }, [alice, clerk, stranger]],
  ['one sender too many', 'SENDER_FULL', { senderTransactionsMax: 2 }, [alice, alice, alice]],
  ['one sender too many bytes', 'SENDER_FULL', { senderBytesMax: 2 * pay(alice).size }, [alice, alice, alice]],
  ['another sender beside a full one', 'ok', { senderTransactionsMax: 2 }, [alice, alice, clerk]],
];

describe('admission', () => {
  it.each<[string, IdentifiedTransaction]>([
    ['ok', pay(alice)],
    ['ok', pay(alice, { after: nothing })],
    ['WRONG_CHAIN', pay(alice, { chainId: 'other' as ChainId })],
    ['UNKNOWN_OPERATION', transaction(alice, [{ kind: 'tokens.steal', payload: new Uint8Array() }])],
    ['EXPIRED', pay(alice, { validUntil: TIME - 1 })],
    ['BEYOND_WINDOW', pay(alice, { validUntil: TIME + 31 * 24 * 3_600_000 })],
    ['UNKNOWN_SENDER', pay(stranger)],
    ['WRONG_KEYS', pay(alice, { keys: clerk.keys })],
  ])('%s', (expected, each) => {
    const waiting = pool();
    expect(admit(waiting, each)).toBe(expected);
    expect([waiting.has(each.id), waiting.transactions, waiting.bytes]).toEqual(
      expected === 'ok' ? [true, 1, each.size] : [false, 0, 0],
    );
    expect(waiting.get(each.id)).toBe(expected === 'ok' ? each : null);
  });

  it.each(FULL)('of %s: %s', (_, expected, limits, senders) => {
    const waiting = pool(limits);
    const verdicts = senders.map(sender => admit(waiting, pay(sender)));
    expect(verdicts).toEqual([...senders.slice(1).map(() => 'ok'), expected]);
  });

  it('tells a full pool by a number of bytes alone', () => {
    const waiting = pool({ bytesMax: 1_000 });
    expect([waiting.isFull(1_000), waiting.isFull(1_001)]).toEqual([false, true]);
  });

  it('takes nothing twice, neither waiting nor recorded', () => {
    const waiting = pool();
    const each = pay(alice);
    expect([admit(waiting, each), admit(waiting, each)]).toEqual(['ok', 'ALREADY_WAITING']);
    const { state } = applied(net.rules, net.start, [each]);
    const result = pool().admit(0, placeAbove(state, state.header.time + 1), each);
    expect(result).toMatchObject({ ok: false, error: { code: 'DUPLICATE' } });
  });
});

describe('what nobody verified here', () => {
  /** The same transaction under another signature. */
  const signedOtherwise = ({ body, signatures }: IdentifiedTransaction) =>
    identify({
      body,
      signatures: signatures.map(({ key: by }) => ({ key: by, signature: new Uint8Array(64).fill(1) })),
    });

  it('waits and is offered like the rest, and is told apart until it is judged', () => {
    const waiting = pool({ transactionsMax: 2 });
    const [vouched, sound] = [pay(alice), pay(clerk)];
    expect(waiting.admitUnverified(0, here, vouched).ok).toBe(true);
    expect(waiting.admitUnverified(0, here, vouched)).toMatchObject({ ok: false, error: { code: 'ALREADY_WAITING' } });
    admit(waiting, sound);
    expect(waiting.admitUnverified(0, here, pay(board))).toMatchObject({ ok: false, error: { code: 'POOL_FULL' } });
    expect(taken(waiting)).toEqual([vouched.id, sound.id]);
    expect([vouched.id, sound.id, nothing].map(waiting.isVerified)).toEqual([false, true, false]);
    waiting.judged(vouched, true);
    expect(waiting.isVerified(vouched.id)).toBe(true);
  });

  it('is dropped when it is false, and what was verified never', () => {
    const waiting = pool();
    const [vouched, sound] = [pay(alice), pay(clerk)];
    waiting.admitUnverified(0, here, vouched);
    admit(waiting, sound);
    waiting.judged(signedOtherwise(vouched), false);
    waiting.judged(sound, false);
    expect(waiting.transactions).toBe(2);
    waiting.judged(vouched, false);
    expect([waiting.has(vouched.id), waiting.transactions, waiting.bytes]).toEqual([false, 1, sound.size]);
  });

  it('gives way to the same that is verified, under whatever signature, in its place where that is one', () => {
    const waiting = pool({ senderTransactionsMax: 2 });
    const [first, second] = [pay(alice), pay(alice)];
    for (const each of [first, second]) waiting.admitUnverified(0, here, each);
    expect(admit(waiting, first)).toBe('ok');
    expect(taken(waiting)).toEqual([first.id, second.id]);
    const genuine = signedOtherwise(second);
    expect(admit(waiting, genuine)).toBe('ok');
    expect([waiting.get(second.id), waiting.isVerified(second.id)]).toEqual([genuine, true]);
    expect([waiting.transactions, waiting.bytes]).toEqual([2, first.size + genuine.size]);
    expect(admit(waiting, second)).toBe('ALREADY_WAITING');
  });
});

describe('the order of offers', () => {
  it('is turn by turn between senders, and as they came for each', () => {
    const waiting = pool();
    const [a, b, c] = [alice, clerk, board].map((sender, i) => Array.from({ length: 4 - i }, () => pay(sender))) as [
      IdentifiedTransaction[],
      IdentifiedTransaction[],
      IdentifiedTransaction[],
    ];
    for (const each of [...a, ...b, ...c]) admit(waiting, each);
    const expected = [a[0], b[0], c[0], a[1], b[1], c[1], a[2], b[2], a[3]].map(each => each!.id);
    expect(taken(waiting)).toEqual(expected);
    expect(taken(waiting, 2)).toEqual(expected.slice(0, 2));
  });

  it('begins with whoever has waited longest for a turn, so that small blocks serve everyone', () => {
    const waiting = pool();
    const mine = [alice, clerk, board].map(sender => Array.from({ length: 3 }, () => pay(sender)));
    for (const each of mine.flat()) admit(waiting, each);
    const served: number[] = [];
    for (let i = 0; i < 9; i++) {
      const [id] = taken(waiting, 1);
      served.push(mine.findIndex(all => all.some(each => each.id === id)));
      waiting.settle(0, here, [id!]);
    }
    expect(served).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });

  it('ends the turn of a sender whose share is used up, or whose transactions no block can hold', () => {
    const waiting = pool();
    for (let i = 0; i < 100; i++) for (const sender of [alice, clerk]) admit(waiting, pay(sender));
    const offers = new Map<string, number>();
    const skip =
      (code: 'SENDER_SHARE_EXCEEDED' | 'WRONG_KEYS') =>
      (each: IdentifiedTransaction): Taken => {
        offers.set(each.body.sender, (offers.get(each.body.sender) ?? 0) + 1);
        if (each.body.sender === clerk.address) return { type: 'taken' };
        return { type: 'skipped', reason: { code, concerns: '', transaction: each.id } };
      };
    waiting.offer(skip('SENDER_SHARE_EXCEEDED'));
    expect([...offers.values()]).toEqual([1, 100]);
    offers.clear();
    waiting.offer(skip('WRONG_KEYS'));
    expect([...offers.values()]).toEqual([8, 100]);
  });
});

/** Every sender's ids in a list of its own, the senders in a line: the order of offers as plainly as it can be said. */
function plainOrder() {
  let line: { readonly sender: string; readonly ids: TransactionId[] }[] = [];
  return {
    add({ id, body: { sender } }: IdentifiedTransaction) {
      const known = line.find(each => each.sender === sender);
      if (known) known.ids.push(id);
      else line.push({ sender, ids: [id] });
    },
    remove(id: TransactionId) {
      const [served] = line.filter(each => each.ids.includes(id));
      if (served === undefined) return;
      line = line.filter(each => each !== served);
      const ids = served.ids.filter(each => each !== id);
      if (ids.length > 0) line.push({ ...served, ids });
    },
    taken(room: number): TransactionId[] {
      const longest = Math.max(0, ...line.map(each => each.ids.length));
      const rounds = Array.from({ length: longest }, (_, round) =>
        line.flatMap(each => each.ids.slice(round, round + 1)),
      );
      return rounds.flat().slice(0, room);
    },
  };
}

const action = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('admit' as const), sender: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('settle' as const), which: fc.array(fc.nat(20), { maxLength: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('offer' as const), room: fc.nat(12) }) },
);

it('offers in the plain order, whatever came and went', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), actions => {
      const waiting = pool();
      const plain = plainOrder();
      const ids: TransactionId[] = [];
      for (const each of actions) {
        if (each.type === 'admit') {
          const next = pay([alice, clerk, board][each.sender]!);
          expect(admit(waiting, next)).toBe('ok');
          plain.add(next);
          ids.push(next.id);
        } else if (each.type === 'settle') {
          const recorded = [...new Set(each.which.flatMap(index => ids[index] ?? []))];
          waiting.settle(0, here, recorded);
          for (const id of recorded) plain.remove(id);
        } else expect(taken(waiting, each.room)).toEqual(plain.taken(each.room));
      }
      expect(taken(waiting)).toEqual(plain.taken(1_000));
    }),
    { numRuns: 200 },
  );
});

describe('a transaction after another', () => {
  it('is held back until that one is recorded, and is no work meanwhile', () => {
    const waiting = pool();
    const first = pay(alice);
    const second = pay(clerk, { after: first.id });
    admit(waiting, second, 10);
    expect([waiting.oldestWaiting(), taken(waiting)]).toEqual([null, []]);
    const { state } = applied(net.rules, net.start, [first]);
    waiting.settle(50, placeAbove(state, state.header.time), [first.id]);
    expect([waiting.oldestWaiting(), taken(waiting)]).toEqual([50, [second.id]]);
  });

  it('goes into the same block once that one is in it, and so on', () => {
    const waiting = pool();
    const first = pay(alice);
    const second = pay(clerk, { after: first.id });
    const third = pay(alice, { after: second.id });
    const fourth = pay(board, { after: second.id });
    for (const each of [fourth, third, second, first]) admit(waiting, each);
    expect(taken(waiting)).toEqual([first.id, second.id, fourth.id, third.id]);
    expect(taken(waiting, 2)).toEqual([first.id, second.id]);
  });

  it('is ready at once where that one is recorded already', () => {
    const first = pay(alice);
    const second = pay(clerk, { after: first.id });
    const { state } = applied(net.rules, net.start, [first]);
    const waiting = pool();
    waiting.admit(0, placeAbove(state, state.header.time + 1), second);
    expect(taken(waiting)).toEqual([second.id]);
  });

  it('expires like any other, and leaves nothing behind', () => {
    const waiting = pool();
    const second = pay(clerk, { after: nothing, validUntil: TIME + 5_000 });
    admit(waiting, second);
    expect(waiting.settle(0, { ...here, time: TIME + 4_000 }, [])).toEqual([]);
    expect(waiting.settle(0, { ...here, time: TIME + 6_001 }, [])).toEqual([second.id]);
    expect([waiting.transactions, waiting.bytes]).toEqual([0, 0]);
    waiting.settle(0, here, [nothing]);
    expect(waiting.oldestWaiting()).toBeNull();
  });
});

describe('settling', () => {
  it('drops what a block recorded, wherever it came from', () => {
    const waiting = pool();
    const [mine, theirs] = [pay(alice), pay(alice)];
    admit(waiting, mine, 5);
    admit(waiting, theirs, 7);
    expect(waiting.oldestWaiting()).toBe(5);
    expect(waiting.settle(9, here, [mine.id, nothing])).toEqual([]);
    expect([waiting.oldestWaiting(), waiting.has(mine.id), waiting.transactions]).toEqual([7, false, 1]);
  });

  it('drops what no block can hold any more, when it would ask for one or when a block left it out', () => {
    const waiting = pool();
    const old = [pay(clerk), pay(clerk), pay(clerk)];
    for (const each of [old[0]!, pay(alice), old[1]!, old[2]!]) admit(waiting, each, 5);
    const rotation = transaction(clerk, [op(rotateKeys, { holders: { threshold: 1, keys: [key(77)] } })]);
    const { state } = applied(net.rules, net.start, [rotation]);
    const later = placeAbove(state, state.header.time);
    expect(waiting.settle(9, later, [rotation.id])).toEqual([old[0]!.id]);
    waiting.offer(each =>
      each.id === old[2]!.id || each.id === old[1]!.id
        ? { type: 'skipped', reason: { code: 'WRONG_KEYS', concerns: '', transaction: each.id } }
        : { type: 'taken' },
    );
    expect(waiting.settle(9, later, [])).toEqual([old[1]!.id, old[2]!.id]);
    expect(waiting.transactions).toBe(1);
  });

  it('keeps its books: what came in and went out leaves room for as much', () => {
    const waiting = pool({ transactionsMax: 10, senderTransactionsMax: 10 });
    for (let round = 0; round < 20; round++) {
      const all = Array.from({ length: 10 }, (_, i) => pay(i % 2 === 0 ? alice : clerk));
      expect(all.map(each => admit(waiting, each))).toEqual(all.map(() => 'ok'));
      expect(admit(waiting, pay(board))).toBe('POOL_FULL');
      waiting.settle(
        0,
        here,
        all.map(each => each.id),
      );
      expect([waiting.transactions, waiting.bytes, waiting.oldestWaiting()]).toEqual([0, 0, null]);
    }
  });
});
