import { describe, expect, it } from 'vitest';
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
  feed,
  hold,
  judge,
  look,
  pass,
  prepare,
  promise,
  restarted,
  type Script,
  said,
  script,
  setOf,
  T0,
  tell,
  until,
} from './paxos-script.ts';

const X = blockBy(A);
const Y = blockBy(C, 1);

/** B leads ballot 1 from height 1 on and has been asked for a block. */
function leading(): Script {
  const it = script();
  candidate(it);
  tell(it, A, promise(1, B));
  look(it);
  return it;
}

/** B has accepted A's block X in ballot 1. */
function acceptedScript(): Script {
  const it = script();
  hold(it, X, 'X');
  tell(it, A, accept(1, X));
  judge(it, X);
  look(it);
  return it;
}

describe('Paxos Made Simple 2.2, phase 1: prepare and promise', () => {
  it('a proposer with work and no leader prepares once for all heights, and builds on a majority of promises', () => {
    const it = script();
    look(it);
    pass(it, 9000);
    expect(look(it)).toEqual([]);
    candidate(it);
    expect(look(it)).toEqual(['persist', 'prepare 1 at 1']);
    tell(it, A, promise(1, B));
    expect(look(it)).toEqual(['build 1/1']);
    expect(it.core.status()).toMatchObject({ phase: 'leading', leader: B, view: 1 });
  });

  it('the block of a decided height is followed by the next in the same ballot, without another phase 1', () => {
    const it = leading();
    const block = blockBy(B);
    hold(it, block, 'Z');
    feed(it, { type: 'built', job: '1/1', block });
    expect(look(it)).toEqual(['persist Z', 'publish Z', 'accept Z in 1', 'accepted Z in 1']);
    tell(it, C, accepted(1, block));
    expect(look(it)).toEqual(['decision Z in 1', 'adopt Z in 1 by 1,2']);
    apply(it, block);
    pass(it, 20);
    expect(said(it)).toEqual(['build 2/1']);
  });

  it('a promise is durable before it is said, and names what was accepted', () => {
    const it = acceptedScript();
    pass(it, 2000);
    look(it);
    tell(it, C, prepare(2));
    expect(look(it)).toEqual(['persist', 'promise 2 with X in 1 to C']);
  });

  it('a promise holds: no lower ballot is promised or accepted any more, also after a restart', () => {
    const before = script();
    tell(before, C, prepare(3));
    for (const it of [before, restarted(before)]) {
      pass(it, 2000);
      look(it);
      hold(it, X, 'X');
      tell(it, A, accept(2, X));
      judge(it, X);
      expect(look(it)).toEqual(['nack 2, promised 3 to A']);
      pass(it, 500);
      tell(it, A, prepare(2));
      expect(look(it)).toEqual(['nack 2, promised 3 to A']);
    }
  });

  it('a round belongs to the first that asks: neither a promise nor an acceptance for another proposer in it', () => {
    const it = script();
    tell(it, A, prepare(1));
    pass(it, 2000);
    look(it);
    tell(it, C, prepare(1));
    expect(look(it)).toEqual(['nack 1, promised 1 to C']);
    pass(it, 500);
    hold(it, Y, 'Y');
    tell(it, C, accept(1, Y));
    judge(it, Y);
    expect(look(it)).toEqual(['nack 1, promised 1 to C']);
    tell(it, A, prepare(1));
    expect(look(it)).toEqual(['promise 1 to A']);
  });

  it('no promise for a height that is decided here, or below one at which a block was accepted', () => {
    const it = script();
    hold(it, X, 'X');
    apply(it, X);
    look(it);
    tell(it, C, prepare(4));
    expect(look(it)).toEqual(['status 1 to C']);
    const next = blockBy(A, 0, X);
    hold(it, next, 'N');
    tell(it, A, accept(1, next));
    judge(it, next);
    look(it);
    // The ledger was set back by a crash: what was accepted above still binds.
    const back = restarted(it);
    pass(back, 2000);
    look(back);
    tell(back, C, prepare(4));
    expect(look(back)).toEqual([]);
    tell(back, C, prepare(4, 2));
    expect(look(back)).toEqual(['persist', 'promise 4 with N in 1 to C']);
  });

  it('who is behind promises all the same, and asks for what it missed', () => {
    const it = script();
    look(it);
    tell(it, C, prepare(2, 5));
    expect(look(it)).toEqual(['persist', 'promise 2 to C', 'sync to 4 from C']);
  });

  it('promises for another round, height or proposer count for nothing, and none counts twice', () => {
    const it = script({ validators: setOf(A, B, C, D) });
    candidate(it);
    look(it);
    for (const message of [promise(2, B), promise(1, C), promise(1, B, null, 2)]) tell(it, A, message);
    for (let i = 0; i < 3; i++) tell(it, D, promise(1, B));
    expect(look(it)).toEqual([]);
    tell(it, C, promise(1, B));
    expect(look(it)).toEqual(['build 1/1']);
  });
});

describe('Paxos Made Simple 2.2, P2c: the value of the highest-numbered proposal among the answers', () => {
  it.each([
    ['the one that is named', [[2, X], null] as const, 'X'],
    [
      'of two the higher',
      [
        [2, X],
        [3, Y],
      ] as const,
      'Y',
    ],
    [
      'of two the higher, in the other order',
      [
        [4, X],
        [3, Y],
      ] as const,
      'X',
    ],
  ])('%s', (_, [fromA, fromC], expected) => {
    const it = script({ validators: setOf(A, B, C, D) });
    tell(it, C, beat(5));
    candidate(it);
    hold(it, X, 'X');
    hold(it, Y, 'Y');
    look(it);
    tell(it, A, promise(6, B, fromA));
    tell(it, C, promise(6, B, fromC));
    expect(look(it)).toEqual([`publish ${expected}`, `accept ${expected} in 6 again`, `validate ${expected}`]);
  });

  it('its own acceptance counts too', () => {
    const it = acceptedScript();
    candidate(it);
    look(it);
    tell(it, C, promise(2, B));
    expect(look(it)).toEqual(['persist X', 'publish X', 'accept X in 2 again', 'accepted X in 2']);
  });

  it('what was named for one height is not proposed at the next', () => {
    const it = acceptedScript();
    candidate(it);
    tell(it, C, promise(2, B));
    tell(it, C, accepted(2, X));
    apply(it, X);
    look(it);
    pass(it, 20);
    expect(look(it)).toEqual(['build 2/2']);
  });

  it('it fetches a body that it does not hold from who accepted it, before it proposes it', () => {
    const it = script();
    candidate(it);
    look(it);
    it.names.set(X.id, 'X');
    tell(it, C, promise(1, B, [0, X]));
    expect(look(it)).toEqual(['fetch X from C']);
    hold(it, X);
    expect(look(it)).toEqual(['publish X', 'accept X in 1 again', 'validate X']);
  });

  it('an answer that comes after the majority does not change the choice', () => {
    const it = leading();
    tell(it, C, promise(1, B, [0, X]));
    const block = blockBy(B);
    hold(it, block, 'Z');
    feed(it, { type: 'built', job: '1/1', block });
    expect(said(it)).toEqual(['publish Z', 'accept Z in 1', 'accepted Z in 1']);
  });

  it('the ballot of a restarted proposer is over: it takes a higher one', () => {
    const it = restarted(leading());
    candidate(it);
    expect(said(it)).toEqual(['prepare 2 at 1']);
  });
});

describe('Paxos Made Simple 2.4, the distinguished proposer', () => {
  it('beats four times in the base timeout while idle, and says nothing else', () => {
    const it = leading();
    const block = blockBy(B);
    hold(it, block);
    feed(it, { type: 'built', job: '1/1', block });
    tell(it, C, accepted(1, block));
    apply(it, block);
    feed(it, { type: 'work', since: null });
    look(it);
    pass(it, 1000);
    expect(look(it)).toEqual(Array(4).fill('beat 1 at 2'));
  });

  it('while it is heard nobody else gets a promise; the lease is only that: its silence ends it', () => {
    const it = script();
    tell(it, A, beat(1));
    pass(it, 900);
    tell(it, A, beat(1));
    pass(it, 900);
    look(it);
    tell(it, C, prepare(2));
    expect(said(it)).toEqual([]);
    pass(it, 200);
    tell(it, C, prepare(2));
    expect(said(it)).toEqual(['promise 2 to C']);
  });

  it('a lease is nothing for safety: what a higher ballot proposes is accepted under it', () => {
    const it = script();
    tell(it, A, beat(1));
    hold(it, Y, 'Y');
    tell(it, C, accept(2, Y));
    judge(it, Y);
    expect(said(it)).toEqual(['validate Y', 'accepted Y in 2 to C']);
  });

  it('one that is heard but gets nowhere loses its lease after the longest timeout', () => {
    const it = script();
    feed(it, { type: 'work', since: it.now });
    const beats = (ms: number) => {
      for (let i = 0; i < ms; i += 250) {
        tell(it, A, beat(1));
        pass(it, 250);
      }
      look(it);
    };
    beats(7750);
    tell(it, C, prepare(2));
    expect(said(it)).toEqual([]);
    beats(500);
    tell(it, C, prepare(9));
    expect(said(it)).toEqual(['promise 9 to C']);
  });

  it('who heard the leader waits for its lease and a time by lot, not the same for all', () => {
    const waits = [1n, 2n, 3n].map(seed => {
      const it = script({ seed });
      feed(it, { type: 'work', since: it.now });
      tell(it, A, beat(1));
      return it.timers.get('election')! - T0;
    });
    for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(1000);
    for (const wait of waits) expect(wait).toBeLessThan(2000);
    expect(new Set(waits).size).toBe(3);
  });

  it('duelling proposers: a refused one makes room for a time by lot that grows, then takes a higher ballot', () => {
    const it = script();
    candidate(it);
    look(it);
    tell(it, A, prepare(1));
    expect(said(it)).toEqual(['nack 1, promised 1 to A']);
    tell(it, A, { type: 'nack', round: 1, promised: 1 });
    expect(it.core.status().phase).toBe('waiting');
    const wait = it.timers.get('election')! - it.now;
    expect(wait).toBeLessThan(2000);
    tell(it, A, prepare(2));
    expect(said(it)).toEqual(['promise 2 to A']);
    until(it, 'election');
    expect(it.now).toBeGreaterThan(T0 + 1000);
    expect(said(it)).toEqual(['prepare 3 at 1']);
  });

  it('the span that the lot is drawn from doubles with each refusal, up to the longest timeout', () => {
    const longest = [0, 0, 0, 0, 0];
    for (let seed = 1n; seed <= 30n; seed++) {
      const it = script({ seed });
      candidate(it);
      for (const i of longest.keys()) {
        const { view } = it.core.status();
        tell(it, A, { type: 'nack', round: view, promised: view });
        longest[i] = Math.max(longest[i]!, it.timers.get('election')! - it.now);
        until(it, 'election');
      }
    }
    const spans = [2000, 4000, 8000, 8000, 8000];
    for (const [i, span] of spans.entries()) {
      expect(longest[i]).toBeLessThan(span);
      expect(longest[i]).toBeGreaterThan(span / 2);
    }
  });

  it('a leader whom one acceptor cannot follow any more takes it along with a higher ballot, once in a base timeout', () => {
    const it = leading();
    tell(it, C, { type: 'nack', round: 1, promised: 7 });
    expect(said(it)).toEqual(['cancel 1/1', 'prepare 8 at 1']);
    tell(it, A, promise(8, B));
    tell(it, C, { type: 'nack', round: 8, promised: 9 });
    expect(said(it)).toEqual(['build 1/8']);
  });

  it('a leader whom nobody answers says so again each base timeout, then gives up and is silent', () => {
    const it = leading();
    const block = blockBy(B);
    hold(it, block, 'Z');
    feed(it, { type: 'built', job: '1/1', block });
    look(it);
    pass(it, 1999);
    expect(look(it).filter(each => !each.startsWith('beat'))).toEqual(['accept Z in 1', 'accepted Z in 1']);
    pass(it, 1);
    expect(it.core.status().phase).toBe('accepted');
    expect(look(it).filter(each => each.startsWith('beat'))).toEqual([]);
  });

  it('leadership under one set of validators is void under another', () => {
    const it = leading();
    const block = blockBy(B);
    hold(it, block, 'Z');
    feed(it, { type: 'built', job: '1/1', block });
    tell(it, C, accepted(1, block));
    look(it);
    apply(it, block, setOf(A, B, C, D));
    expect(said(it)).toEqual(['prepare 2 at 2']);
    pass(it, 100);
    tell(it, A, promise(1, B, null, 1));
    tell(it, A, promise(2, B, null, 2));
    expect(said(it)).toEqual([]);
    tell(it, D, promise(2, B, null, 2));
    expect(said(it)).toEqual(['build 2/2']);
  });

  it('a single validator leads and decides by itself', () => {
    const it = script({ self: A, validators: setOf(A), recorded: false });
    candidate(it);
    expect(said(it)).toEqual(['prepare 1 at 1', 'build 1/1']);
    hold(it, X, 'X');
    feed(it, { type: 'built', job: '1/1', block: X });
    expect(said(it)).toEqual(['publish X', 'accept X in 1', 'accepted X in 1', 'decision X in 1', 'adopt X in 1 by 0']);
  });
});
