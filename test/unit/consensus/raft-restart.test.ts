/** What a server remembers across restarts, and how one that has lost its record comes back. */
import { describe, expect, it } from 'vitest';
import { genesisTerm, horizonOf, isBeyond, type Report } from '../../../consensus/raft/amnesia.ts';
import type { Message } from '../../../consensus/raft/messages.ts';
import {
  A,
  ack,
  append,
  apply,
  B,
  blockBy,
  build,
  C,
  decision,
  elect,
  FIVE,
  feed,
  genesis,
  judge,
  look,
  pass,
  preVote,
  replicate,
  restarted,
  type Script,
  said,
  script,
  setOf,
  THREE,
  tell,
  vote,
  voteRequest,
} from './raft-script.ts';

const X = blockBy(A, 1);
const Y = blockBy(A, 1, X);
const Z = blockBy(A, 1, Y);

describe('a restart', () => {
  it('says the last acknowledgements again, to the leader of that term', () => {
    const before = script();
    before.names.set(X.id, 'X');
    replicate(before, A, 1, [X]);
    const it = restarted(before);
    expect(look(it)).toEqual(['ask', 'validate X', 'ack X in 1 to A']);
    expect(it.core.status()).toMatchObject({ view: 1, leader: A, phase: 'follower' });
  });

  it('says none of an earlier term again', () => {
    const before = script();
    before.names.set(X.id, 'X');
    replicate(before, A, 1, [X]);
    tell(before, C, append(2, []));
    const it = restarted(before);
    expect(said(it)).toEqual(['validate X']);
  });

  it('makes a leader a follower, that never leads in its term again, and keeps its log', () => {
    const before = script();
    elect(before);
    const own = blockBy(B, 1);
    build(before, own, 'O');
    const it = restarted(before);
    expect(said(it)).toEqual(['validate O']);
    expect(it.core.status()).toMatchObject({ phase: 'follower', leader: null, view: 1 });
    for (const key of [A, C]) tell(it, key, vote(1));
    for (const key of [A, C]) tell(it, key, ack(1, own));
    expect(said(it)).toEqual([]);
    judge(it, own);
    pass(it, 20_000, 'election');
    expect(said(it)).toEqual(['pre-vote 2 (1 1)']);
  });

  it('loses what was not durable: a block that was asked for, or held, binds nobody', () => {
    const before = script();
    tell(before, A, append(1, [X]));
    const it = restarted(before);
    expect(look(it)).toEqual(['ask']);
    expect(it.core.status().view).toBe(1);
  });

  it('on a ledger that has moved on keeps what stands on it', () => {
    const before = script();
    before.names.set(Y.id, 'Y');
    replicate(before, A, 1, [X, Y]);
    const it = restarted(before, { head: X });
    expect(said(it)).toEqual(['validate Y', 'ack Y in 1 to A']);
  });

  it('on a ledger that has another block lets go of what stood in its place', () => {
    const before = script();
    replicate(before, A, 1, [X, Y]);
    const other = blockBy(C, 2);
    const it = restarted(before, { head: other });
    expect(said(it)).toEqual([]);
    expect(it.core.status()).toMatchObject({ height: 2, view: 2 });
  });

  it('on a ledger that has fallen behind its log makes no promise until it is back', () => {
    const before = script();
    replicate(before, A, 1, [X]);
    apply(before, X);
    replicate(before, A, 1, [Y], X);
    const it = restarted(before);
    expect(it.core.status()).toMatchObject({ phase: 'recovering', voting: false });
    look(it);
    tell(it, C, voteRequest(5, 4, 4));
    tell(it, A, append(1, [X], genesis, true));
    pass(it, 5000);
    expect(said(it)).toEqual([]);
    it.names.set(Y.id, 'Y');
    apply(it, X);
    expect(said(it)).toEqual(['validate Y']);
    expect(it.core.status()).toMatchObject({ phase: 'follower', voting: true, view: 1 });
  });
});

const report = (height: number, term: number, lastHeight = height, recorded = true): Report => ({
  height,
  term,
  lastHeight,
  recorded,
});
const status = (it: Script, of: Report): Message => {
  const ask = it.seen.find(each => each.type === 'send' && each.message.type === 'status-request');
  const nonce = ask?.type === 'send' && ask.message.type === 'status-request' ? ask.message.nonce : 0;
  return { type: 'status', nonce, ...of };
};

describe('a server without its record', () => {
  const lost = (): Script => script({ recorded: false, head: Z });

  it('asks, and is silent: it gives no vote, acknowledges nothing, and does not campaign', () => {
    const it = lost();
    expect(look(it)).toEqual(['ask']);
    tell(it, A, preVote(9, 8, 8));
    tell(it, A, voteRequest(9, 8, 8));
    replicate(it, A, 9, [blockBy(A, 9, Z)], Z);
    pass(it, 20_000);
    expect(said(it).filter(each => !each.startsWith('status'))).toEqual([]);
    expect(it.core.status()).toMatchObject({ phase: 'recovering', voting: false });
    expect(it.disk.records.size).toBe(0);
  });

  it('votes again when a block of a later term than all have answered is final, and in none of the terms before', () => {
    const it = lost();
    const [a, c] = [status(it, report(3, 4)), status(it, report(2, 3))];
    tell(it, A, a);
    tell(it, C, c);
    const N = blockBy(C, 4, Z);
    apply(it, N);
    expect(it.core.status().voting).toBe(false);
    const M = blockBy(C, 5, N);
    look(it);
    apply(it, M);
    expect(look(it)).toEqual(['persist 5 B [] +']);
    expect(it.core.status()).toMatchObject({ voting: true, view: 5 });
    pass(it, 2000);
    tell(it, A, voteRequest(5, 9, 9));
    tell(it, A, voteRequest(6, 9, 9));
    expect(said(it)).toEqual(['vote 5 no to A', 'vote 6 yes to A']);
  });

  it('gives no vote in a term that it has heard of while it was silent', () => {
    const it = lost();
    for (const key of [A, C]) tell(it, key, status(it, report(3, 4)));
    tell(it, C, append(9, [], Z));
    apply(it, blockBy(A, 5, Z));
    expect(it.core.status()).toMatchObject({ voting: true, view: 9 });
    pass(it, 2000);
    look(it);
    tell(it, A, voteRequest(9, 9, 9));
    expect(said(it)).toEqual(['vote 9 no to A']);
  });

  it('votes again two heights above all logs, on a block of that term that stands on another of it', () => {
    const it = lost();
    for (const key of [A, C]) tell(it, key, status(it, report(3, 4)));
    const blocks = [Z];
    for (let i = 0; i < 3; i++) blocks.push(blockBy(A, 4, blocks.at(-1)!));
    apply(it, blocks[1]!);
    expect(it.core.status().voting).toBe(false);
    apply(it, blocks[2]!);
    expect(it.core.status().voting).toBe(true);
  });

  it.each([
    ['a minority', [report(3, 4)]],
    ['those who have no record themselves', [report(3, 4, 3, false), report(3, 4, 3, false)]],
    ['those whose ledgers are ahead of its own', [report(9, 4), report(3, 4)]],
  ])('does not go by the answers of %s', (_, answers) => {
    const it = lost();
    for (const [i, answer] of answers.entries()) tell(it, [A, C][i]!, status(it, answer));
    const N = blockBy(A, 7, Z);
    apply(it, N);
    apply(it, blockBy(A, 7, N));
    expect(it.core.status().voting).toBe(false);
  });

  it('goes by the first answer of each: what it has to catch up with does not run away', () => {
    const it = lost();
    for (const [key, of] of [
      [A, report(3, 4)],
      [A, report(9, 9)],
      [C, report(3, 4)],
    ] as const)
      tell(it, key, status(it, of));
    apply(it, blockBy(A, 7, Z));
    expect(it.core.status().voting).toBe(true);
  });

  it('takes no answer to another question, nor of an earlier life', () => {
    const it = lost();
    for (const key of [A, C]) tell(it, key, { ...status(it, report(3, 4)), nonce: 1 } as Message);
    apply(it, blockBy(A, 7, Z));
    expect(it.core.status().voting).toBe(false);
  });

  it('votes at once where the operator consents', () => {
    const it = script({ head: Z });
    expect(it.core.status()).toMatchObject({ voting: true, view: 1 });
  });

  it('begins at genesis when all have answered that they are there, else a majority in its time', () => {
    const all = script({ recorded: false });
    for (const key of [A, C]) tell(all, key, status(all, report(0, 0, 0, false)));
    expect(all.core.status().voting).toBe(true);
    const some = script({ recorded: false });
    tell(some, A, status(some, report(0, 0, 0, false)));
    expect(some.core.status().voting).toBe(false);
    pass(some, 1000, 'patience');
    expect(some.core.status().voting).toBe(true);
  });

  it('alone in its network begins at once', () => {
    expect(script({ recorded: false, validators: setOf(B) }).core.status().phase).toBe('leader');
  });
});

describe('the horizon of forgotten votes', () => {
  const reports = (...each: [typeof A, Report][]) => new Map(each);

  it('is what a majority without itself has answered at most', () => {
    expect(horizonOf(THREE, 2, B, 9, reports([A, report(3, 4, 5)], [C, report(4, 2, 7)]))).toEqual({
      term: 4,
      height: 7,
    });
    expect(horizonOf(THREE, 2, B, 9, reports([A, report(3, 4)], [B, report(4, 2)]))).toBe(null);
    expect(horizonOf(FIVE, 3, B, 9, reports([A, report(3, 4)], [C, report(4, 2)]))).toBe(null);
  });

  const head = (term: number, parentTerm: number | null, height: number) => {
    const { id, header } = blockBy(A, term);
    return { id, header: { ...header, height }, parentTerm };
  };

  it.each([
    ['a later term', 5, 1, 6, true],
    ['its term, on an earlier one', 4, 3, 20, false],
    ['its term, on a block that was not seen', 4, null, 20, false],
    ['its term, one height above', 4, 4, 8, false],
    ['its term, two heights above', 4, 4, 9, true],
    ['an earlier term', 3, 3, 20, false],
  ] as const)('is passed by %s: %s', (_, term, parentTerm, height, passed) => {
    expect(isBeyond(head(term, parentTerm, height), { term: 4, height: 7 })).toBe(passed);
  });

  it('at genesis is the highest term that anyone is in', () => {
    expect(genesisTerm(THREE, 2, B, reports([A, report(0, 3)], [C, report(0, 1)]), false)).toBe(3);
    expect(genesisTerm(THREE, 2, B, reports([A, report(0, 3)]), false)).toBe(null);
    expect(genesisTerm(THREE, 2, B, reports([A, report(0, 3)]), true)).toBe(3);
    expect(genesisTerm(THREE, 2, B, reports([A, report(1, 3)], [C, report(0, 1)]), true)).toBe(null);
  });
});

describe('a digest', () => {
  const story = (order: readonly (typeof A)[]): Script => {
    const it = script({ validators: FIVE });
    elect(it, order.slice(0, 2));
    const own = blockBy(B, 1);
    build(it, own, 'O');
    for (const key of order) tell(it, key, ack(1, own));
    return it;
  };

  it('is equal for equal histories, and tells different ones apart', () => {
    expect(story([A, C]).core.digest()).toEqual(story([A, C]).core.digest());
    const one = story([A, C]);
    const { length } = one.core.digest();
    expect(length).toBeGreaterThan(100);
    feed(one, { type: 'work', since: 1 });
    expect(one.core.digest()).not.toEqual(story([A, C]).core.digest());
  });

  it('does not depend on the order in which others were heard', () => {
    const said = (order: readonly (typeof A)[]): Script => {
      const it = script({ validators: FIVE });
      for (const key of order) tell(it, key, { type: 'append-reply', term: 0, height: 0 });
      tell(it, A, decision(1, X, [A, B, C]));
      return it;
    };
    expect(said([A, C]).core.digest()).toEqual(said([C, A]).core.digest());
  });
});
