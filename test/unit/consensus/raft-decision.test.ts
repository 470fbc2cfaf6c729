/** What is decided, whom it reaches, and who decides: decisions, learners, and sets that change (thesis, chapter 4). */
import { describe, expect, it } from 'vitest';
import type { Decision, Message } from '../../../consensus/raft/messages.ts';
import {
  A,
  ack,
  append,
  apply,
  B,
  blockBy,
  build,
  C,
  D,
  decision,
  E,
  elect,
  FIVE,
  genesis,
  hold,
  judge,
  look,
  named,
  pass,
  replicate,
  said,
  script,
  setOf,
  THREE,
  tell,
  vote,
  X,
  Y,
} from './raft-script.ts';

describe('a decision', () => {
  const others: [string, Message][] = [
    ['of less than a majority', decision(1, X, [A])],
    ['of strangers', decision(1, X, [A, D, E])],
  ];
  it.each(others)('%s decides nothing', (_, message) => {
    const it = named(script());
    replicate(it, A, 1, [X]);
    look(it);
    tell(it, A, message);
    expect(said(it)).toEqual([]);
  });

  it('of a majority is handed to the ledger with its certificate, whoever brings it', () => {
    const it = named(script());
    replicate(it, A, 1, [X]);
    look(it);
    tell(it, C, decision(1, X, [A, C]));
    expect(said(it)).toEqual(['adopt X in 1 by 02']);
    tell(it, C, decision(1, X, [A, B]));
    expect(said(it)).toEqual([]);
  });

  it('of a block that is not here brings it from those who acknowledged it', () => {
    const it = named(script());
    look(it);
    tell(it, C, decision(1, X, [A, C]));
    expect(look(it)).toEqual(['fetch X from AC']);
    hold(it, X);
    judge(it, X);
    expect(said(it)).toEqual(['validate X', 'adopt X in 1 by 02']);
  });

  it('of the next height waits for the one below', () => {
    const it = named(script());
    replicate(it, A, 1, [X, Y]);
    tell(it, A, decision(1, Y, [A, C]));
    tell(it, A, decision(1, X, [A, C]));
    look(it);
    apply(it, X);
    expect(said(it)).toEqual(['adopt Y in 1 by 02']);
  });

  it('of the next height is checked against the set that decides it', () => {
    const it = named(script());
    replicate(it, A, 1, [X, Y]);
    tell(it, A, decision(1, Y, [A]));
    apply(it, X);
    expect(said(it).filter(each => each.startsWith('adopt'))).toEqual([]);
  });

  it('far above has the ledger brought there', () => {
    const it = script();
    const far = blockBy(A, 1, blockBy(A, 1, Y));
    look(it);
    tell(it, A, decision(1, far, [A, C]));
    expect(said(it)).toEqual(['sync 4 from A']);
  });

  it('against the log takes the place of what stood there', () => {
    const it = named(script());
    replicate(it, A, 1, [X]);
    const N = blockBy(C, 2);
    tell(it, C, decision(2, N, [A, C]));
    hold(it, N, 'N');
    judge(it, N);
    look(it);
    apply(it, N);
    tell(it, A, append(3, [], N, true));
    expect(look(it)).toEqual(['persist 2 - [] +', 'persist 3 - [] +', 'reply 3 at 1 to A']);
  });

  it('is told to who shows itself behind, once in a quarter of a timeout', () => {
    const it = script();
    elect(it);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    judge(it, Z);
    tell(it, A, ack(1, Z));
    apply(it, Z);
    look(it);
    for (let i = 0; i < 5; i++) tell(it, C, { type: 'append-reply', term: 1, height: 0 });
    expect(said(it)).toEqual(['decision Z in 1 by AB to C']);
    pass(it, 250);
    tell(it, C, { type: 'append-reply', term: 1, height: 0 });
    expect(said(it)).toEqual(['decision Z in 1 by AB to C']);
  });

  it('lists its acknowledgements as claims, an acknowledgement is dropped by all but the leader, and what is past is useless', () => {
    const it = script();
    const message = decision(1, X, [A, C]) as Decision;
    expect(it.core.claims(message)?.map(each => each.signer)).toEqual([A, C]);
    expect(it.core.claims(ack(0, X))).toBe(null);
    apply(it, X);
    expect(it.core.claims(message)).toBe(null);
    elect(it);
    expect(it.core.claims(ack(2, Y))).toEqual([]);
  });

  it('against the ledger stops the node', () => {
    const it = named(script());
    tell(it, C, decision(1, X, [A, C]));
    hold(it, X);
    expect(() => judge(it, X, null)).toThrow('invalid here');
    const other = script();
    tell(other, C, decision(1, X, [A, C]));
    expect(() => apply(other, blockBy(C, 2))).toThrow('another block than was decided');
  });
});

describe('one who is no validator', () => {
  it('follows what was decided, and says nothing', () => {
    const it = named(script({ self: null }));
    tell(it, A, append(1, [X], genesis, true));
    tell(it, A, decision(1, X, [A, C]));
    hold(it, X);
    judge(it, X);
    expect(look(it)).toEqual(['fetch X from AC', 'validate X', 'adopt X in 1 by 02']);
    expect(it.core.status()).toMatchObject({ phase: 'learner', voting: false, leader: A });
  });

  it('with a key follows too, neither votes nor campaigns, and takes part once the set has it', () => {
    const it = named(script({ self: D }));
    look(it);
    tell(it, A, append(1, [X], genesis, true));
    tell(it, A, { type: 'vote-request', term: 2, lastTerm: 0, lastHeight: 0, transfer: true });
    pass(it, 5000);
    expect(look(it)).toEqual([]);
    expect(it.core.status()).toMatchObject({ phase: 'learner', voting: false });
    apply(it, X, setOf(A, B, C, D));
    expect(it.core.status()).toMatchObject({ phase: 'follower', voting: true, view: 1 });
  });
});

describe('sets of validators', () => {
  const removed = setOf(B, C);

  it('that a block removes its leader from: it leads until that is final, and hands over (thesis 4.2.2)', () => {
    const it = script();
    elect(it);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    judge(it, Z, { validators: setOf(A, C) });
    tell(it, C, ack(1, Z));
    look(it);
    apply(it, Z, setOf(A, C));
    expect(said(it)).toEqual(['timeout-now 1 to C']);
    expect(it.core.status()).toMatchObject({ phase: 'learner', voting: false });
    pass(it, 20_000, 'election');
    expect(said(it)).toEqual([]);
  });

  it('decide a height each: a block that changes the set is counted in the one before it', () => {
    const it = script();
    elect(it);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    judge(it, Z, { validators: setOf(B) });
    look(it);
    expect(said(it)).toEqual([]);
    tell(it, A, ack(1, Z));
    expect(said(it)).toEqual(['decision Z in 1 by AB', 'adopt Z in 1 by 01']);
  });

  it('decide a height each: acknowledgements of those whom the block itself brings in are no part of its certificate', () => {
    const it = script();
    elect(it);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    judge(it, Z, { validators: FIVE });
    look(it);
    for (const key of [D, E, C]) tell(it, key, ack(1, Z));
    expect(said(it)).toEqual(['decision Z in 1 by BC', 'adopt Z in 1 by 12']);
  });

  it('that a log leaves open must all elect: the schedule of 2015 that loses a committed change finds no majority (raft-dev: 8)', () => {
    // B appended the removal of A and D to four validators and reached nobody; C has others commit the addition of E.
    const four = setOf(A, B, C, D);
    const it = script({ validators: four });
    elect(it, [A, C]);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    judge(it, Z, { validators: removed });
    pass(it, 4000, 'beat');
    expect(it.core.status().phase).toBe('follower');
    pass(it, 20_000, 'election');
    // A majority of the set that the change would make is not enough: A and D may hold what decided the height.
    tell(it, C, vote(2, true, true));
    expect(it.core.status().phase).toBe('pre-candidate');
    tell(it, A, vote(2, true, true));
    expect(it.core.status().phase).toBe('candidate');
    tell(it, C, vote(2));
    expect(it.core.status().phase).toBe('candidate');
    tell(it, A, vote(2));
    expect(it.core.status().phase).toBe('leader');
  });

  it('that a log leaves open must all elect: the larger one that its last block makes, too', () => {
    const it = script();
    elect(it);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    judge(it, Z, { validators: FIVE });
    pass(it, 4000, 'beat');
    pass(it, 20_000, 'election');
    tell(it, A, vote(2, true, true));
    expect(it.core.status().phase).toBe('pre-candidate');
    tell(it, E, vote(2, true, true));
    expect(it.core.status().phase).toBe('candidate');
  });

  it('that a log opens are known to its candidate: one whose log was not executed in this life does not stand', () => {
    const before = script();
    replicate(before, A, 1, [X]);
    const it = script({ disk: before.disk });
    look(it);
    pass(it, 2000, 'election');
    expect(said(it)).toEqual([]);
    judge(it, X, { validators: THREE });
    pass(it, 2000, 'election');
    expect(said(it)).toEqual(['pre-vote 2 (1 1)']);
  });
});
