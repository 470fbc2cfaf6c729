import { describe, expect, it } from 'vitest';
import { paxos } from '../../../consensus/paxos/core.ts';
import type { Message } from '../../../consensus/paxos/messages.ts';
import { decode, decodeOwn, encode } from '../../../ledger/types/codec.ts';
import { VALIDATORS_MAX } from '../../../ledger/types/validator.ts';
import { CHAIN_ID } from '../../simulation/chain.ts';
import { keyOf } from '../../simulation/keys.ts';
import {
  A,
  accept,
  accepted,
  apply,
  B,
  beat,
  blockBy,
  C,
  candidate,
  D,
  decision,
  E,
  feed,
  genesis,
  hold,
  judge,
  look,
  pass,
  prepare,
  promise,
  restarted,
  said,
  script,
  setOf,
  tell,
} from './paxos-script.ts';

const X = blockBy(A);
const Y = blockBy(A, 1);
const five = setOf(A, B, C, D, E);

describe('Paxos Made Simple 2.2, phase 2: accept and accepted', () => {
  it('an acceptor fetches, judges and writes down the block before it says that it has accepted it, with one sync', () => {
    const it = script();
    it.names.set(X.id, 'X');
    look(it);
    tell(it, A, accept(1, X));
    expect(look(it)).toEqual(['fetch X from A']);
    hold(it, X);
    expect(look(it)).toEqual(['validate X']);
    judge(it, X);
    expect(look(it)).toEqual(['persist X', 'accepted X in 1 to A']);
  });

  it('one block for one ballot: a second one in it changes nothing, also after a restart', () => {
    const before = script();
    hold(before, X, 'X');
    tell(before, A, accept(1, X));
    judge(before, X);
    for (const it of [before, restarted(before)]) {
      look(it);
      hold(it, Y, 'Y');
      tell(it, A, accept(1, Y));
      judge(it, Y);
      expect(said(it).filter(each => each.startsWith('accepted'))).toEqual([]);
    }
  });

  it('a restart says the last acceptance again, and then once in each base timeout', () => {
    const before = script();
    hold(before, X, 'X');
    tell(before, A, accept(1, X));
    judge(before, X);
    const it = restarted(before);
    expect(said(it)).toEqual(['accepted X in 1 to A']);
    pass(it, 3000);
    expect(said(it)).toEqual(Array(3).fill('accepted X in 1 to A'));
  });

  it('a higher ballot is accepted over a lower one, without a promise before it', () => {
    const it = script();
    for (const block of [X, Y]) hold(it, block, block === X ? 'X' : 'Y');
    tell(it, A, accept(1, X));
    judge(it, X);
    look(it);
    tell(it, C, accept(2, Y, false));
    judge(it, Y);
    expect(look(it)).toEqual(['validate Y', 'persist Y', 'accepted Y in 2 to C']);
  });

  it('an acceptance binds as a promise does: nothing below it is promised or accepted, also after a restart', () => {
    const before = script();
    hold(before, X, 'X');
    tell(before, A, accept(2, X));
    judge(before, X);
    for (const it of [before, restarted(before)]) {
      pass(it, 2000);
      look(it);
      hold(it, Y, 'Y');
      tell(it, C, accept(1, Y, false));
      judge(it, Y);
      expect(look(it)).toEqual(['nack 1, promised 2 to C']);
      pass(it, 500);
      tell(it, C, prepare(1));
      expect(look(it)).toEqual(['nack 1, promised 2 to C']);
    }
  });

  it('an acceptance that waits for its body is not given once a higher ballot was promised', () => {
    const it = script();
    tell(it, A, accept(1, X));
    pass(it, 2000);
    tell(it, C, prepare(2));
    hold(it, X, 'X');
    look(it);
    judge(it, X);
    expect(look(it)).toEqual([]);
  });

  it.each([
    ['a fresh block that is not the proposer’s', blockBy(C), true],
    ['a block on another parent', blockBy(A, 0, X), true],
  ])('%s is not accepted', (_, block, fresh) => {
    const it = script();
    hold(it, block, 'bad');
    tell(it, A, { ...(accept(1, block, fresh) as Extract<Message, { type: 'accept' }>), height: 1 });
    judge(it, block);
    expect(said(it)).toEqual([]);
  });

  it('an invalid block is not accepted', () => {
    const it = script();
    hold(it, X, 'X');
    tell(it, A, accept(1, X));
    judge(it, X, false);
    expect(said(it)).toEqual(['validate X']);
  });

  it('a repeated block may be of any proposer', () => {
    const it = script();
    hold(it, blockBy(C), 'Z');
    tell(it, A, accept(1, blockBy(C), false));
    judge(it, blockBy(C));
    expect(said(it)).toEqual(['validate Z', 'accepted Z in 1 to A']);
  });

  it('a fresh block from the future is accepted when its time has come, a repeated one at once', () => {
    const it = script();
    const block = blockBy(A, 0, genesis, it.now + 1500);
    hold(it, block, 'F');
    tell(it, A, accept(1, block));
    pass(it, 999);
    expect(said(it)).toEqual([]);
    pass(it, 1);
    judge(it, block);
    expect(said(it)).toEqual(['validate F', 'accepted F in 1 to A']);
    const other = script();
    hold(other, block, 'F');
    tell(other, A, accept(1, block, false));
    expect(said(other)).toEqual(['validate F']);
  });

  it('an accept of the next height that comes before the decision of this one is kept', () => {
    const it = script();
    const next = blockBy(A, 0, X);
    hold(it, X, 'X');
    hold(it, next, 'N');
    tell(it, A, accept(1, next));
    tell(it, A, decision(1, X, [A, C]));
    judge(it, X);
    look(it);
    apply(it, X);
    judge(it, next);
    expect(look(it)).toEqual(['validate N', 'persist N', 'accepted N in 1 to A']);
  });

  it('strangers and observers have no say', () => {
    const it = script();
    look(it);
    hold(it, blockBy(E), 'Z');
    tell(it, E, accept(1, blockBy(E)));
    tell(it, E, prepare(3));
    expect(look(it)).toEqual([]);
    const observer = script({ self: null });
    hold(observer, X, 'X');
    tell(observer, A, accept(1, X));
    tell(observer, A, prepare(1));
    judge(observer, X);
    tell(observer, A, decision(1, X, [A, B]));
    expect(look(observer)).toEqual(['validate X', 'adopt X in 1 by 0,1']);
  });
});

describe('Paxos Made Simple 2.3, learning', () => {
  it('a majority of acceptances in one round decides, and the proposer tells; fewer, or of two rounds, do not', () => {
    const it = script({ validators: five });
    hold(it, blockBy(B), 'X');
    const block = blockBy(B);
    candidate(it);
    for (const key of [A, C]) tell(it, key, promise(1, B));
    feed(it, { type: 'built', job: '1/1', block });
    look(it);
    tell(it, C, accepted(1, block));
    tell(it, C, accepted(1, block));
    tell(it, D, accepted(2, block));
    tell(it, keyOf(9), accepted(1, block));
    expect(look(it)).toEqual([]);
    tell(it, E, accepted(1, block));
    expect(look(it)).toEqual(['decision X in 1', 'adopt X in 1 by 1,2,4']);
  });

  it('who counts a majority and is not the proposer says nothing', () => {
    const it = script();
    hold(it, X, 'X');
    for (const key of [A, C]) tell(it, key, accepted(1, X));
    expect(said(it)).toEqual(['validate X']);
  });

  it('power counts, not heads', () => {
    const validators = [A, B, C].map((key, i) => ({ key, power: i === 2 ? 3 : 1 }));
    const it = script({ validators });
    hold(it, X, 'X');
    tell(it, A, decision(1, X, [A, B]));
    expect(said(it)).toEqual([]);
    tell(it, A, decision(1, X, [C]));
    expect(said(it)).toEqual(['validate X']);
  });

  it('a decision is taken with its certificate by who missed everything', () => {
    const it = script();
    it.names.set(X.id, 'X');
    tell(it, A, decision(1, X, [A, C]));
    expect(said(it)).toEqual(['fetch X from AC']);
    hold(it, X);
    judge(it, X);
    expect(said(it)).toEqual(['validate X', 'adopt X in 1 by 0,2']);
    expect(it.core.claims(decision(1, X, [A, C]))).toHaveLength(2);
    apply(it, X);
    expect(it.core.claims(decision(1, X, [A, C]))).toBeNull();
  });

  it('who works on a decided height is told what was decided', () => {
    const it = script();
    hold(it, X, 'X');
    tell(it, A, decision(1, X, [A, C]));
    judge(it, X);
    apply(it, X);
    look(it);
    tell(it, C, prepare(4));
    expect(said(it)).toEqual(['decision X in 1 to C']);
    tell(it, C, prepare(4));
    tell(it, C, accepted(1, X));
    expect(said(it)).toEqual([]);
    pass(it, 500);
    tell(it, C, accepted(1, X));
    expect(said(it)).toEqual(['decision X in 1 to C']);
  });

  it('after a crash the record brings back a decision that the ledger lost', () => {
    const before = script();
    hold(before, X, 'X');
    tell(before, A, accept(1, X));
    judge(before, X);
    tell(before, A, decision(1, X, [A, B]));
    apply(before, X);
    const next = blockBy(A, 0, X);
    hold(before, next, 'N');
    tell(before, A, accept(1, next));
    judge(before, next);
    const it = restarted(before);
    judge(it, X);
    expect(said(it)).toEqual(['validate X', 'adopt X in 1 by 0,1']);
    apply(it, X);
    pass(it, 1000);
    expect(said(it)).toEqual([]);
    expect(it.core.status()).toMatchObject({ height: 2, phase: 'accepted' });
  });

  it('who hears of a height far above asks for block sync, and of the next one after a while', () => {
    const it = script();
    look(it);
    tell(it, A, beat(1, 4));
    expect(look(it)).toEqual(['sync to 3 from A']);
    const near = script();
    look(near);
    tell(near, A, beat(1, 2));
    expect(look(near)).toEqual([]);
    pass(near, 250);
    expect(look(near)).toEqual(['sync to 1 from A']);
  });

  it('where nothing is decided although it is time, it asks everyone, once in the longest timeout; else never', () => {
    const it = script({ self: D });
    look(it);
    pass(it, 10_000 + 7999);
    expect(look(it)).toEqual([]);
    pass(it, 8001);
    expect(look(it)).toEqual(['ask at 0', 'ask at 0']);
    tell(it, A, { type: 'status', height: 3, nonce: 0, recorded: true });
    expect(look(it)).toEqual(['sync to 3 from A']);
    hold(it, X);
    apply(it, X);
    look(it);
    pass(it, 10_000);
    expect(look(it).filter(each => each.startsWith('ask'))).toEqual([]);
  });

  it('one key that accepts two blocks in one round is reported once', () => {
    const it = script();
    it.names.set(A, 'A');
    tell(it, A, accepted(1, X));
    tell(it, A, accepted(1, Y));
    tell(it, A, accepted(1, Y));
    expect(said(it)).toEqual(['report A accepted in 1']);
  });
});

describe('without a record', () => {
  const status = (nonce: number, height: number, recorded = true): Message => ({
    type: 'status',
    height,
    nonce,
    recorded,
  });

  function asked(it: ReturnType<typeof script>): number {
    for (const effect of it.seen) {
      if (effect.type === 'send' && effect.message.type === 'status-request') return effect.message.nonce;
    }
    throw new Error('nobody was asked');
  }

  it('it is silent until four heights above what a majority of others reports', () => {
    const it = script({ recorded: false });
    const nonce = asked(it);
    hold(it, X, 'X');
    tell(it, A, accept(1, X));
    judge(it, X);
    tell(it, C, prepare(2));
    tell(it, A, status(nonce, 5));
    expect(said(it).filter(each => !/^(validate|sync)/.test(each))).toEqual([]);
    expect(it.core.status()).toMatchObject({ voting: false, phase: 'recovering' });
    tell(it, C, status(nonce, 4));
    expect(look(it)[0]).toBe('persist');
    pass(it, 20_000);
    look(it);
    for (const [height, line] of [
      [8, []],
      [9, ['persist', 'promise 3 to C']],
    ] as const) {
      tell(it, C, prepare(3, height));
      expect(look(it).filter(each => !each.startsWith('sync'))).toEqual(line);
    }
  });

  it('at genesis, where nobody has one, it begins', () => {
    const it = script({ recorded: false });
    const nonce = asked(it);
    for (const key of [A, C]) tell(it, key, status(nonce, 0, false));
    expect(it.core.status().voting).toBe(true);
  });
});

describe('the wire', () => {
  const messages: readonly Message[] = [
    prepare(1),
    promise(2, B, [1, X]),
    promise(2, B),
    { type: 'nack', round: 1, promised: 2 },
    accept(1, X),
    accept(1, X, false),
    accepted(1, X),
    beat(3),
    decision(1, X, [A, B]),
    { type: 'status-request', height: 3, nonce: 4 },
    { type: 'status', height: 3, nonce: 4, recorded: true },
  ];

  it.each(messages)('$type comes back as it went', message => {
    expect(decodeOwn(paxos.codec, encode(paxos.codec, message))).toEqual(message);
    expect(decode(paxos.codec, Uint8Array.of(...encode(paxos.codec, message), 0)).ok).toBe(false);
  });

  it('no two messages sign the same bytes', () => {
    const signed = messages.map(each => paxos.signed(CHAIN_ID, each).join());
    expect(new Set(signed).size).toBe(messages.length);
  });

  it('the largest message fits', () => {
    const keys = Array.from({ length: VALIDATORS_MAX }, (_, i) => keyOf(i));
    const bytes = encode(paxos.codec, decision(2 ** 32 - 1, X, keys));
    expect(bytes.length).toBeLessThan(paxos.spec.messageBytesMax);
  });

  it('equal histories have equal digests, others have not', () => {
    const [one, other] = [script(), script()];
    for (const it of [one, other]) for (const key of [A, C]) tell(it, key, accepted(1, X));
    expect(one.core.digest()).toEqual(other.core.digest());
    tell(other, A, beat(1));
    expect(one.core.digest()).not.toEqual(other.core.digest());
  });
});
