/** Leader election, rule by rule: the paper's figure 2 and section 5.2, the thesis' pre-vote and check-quorum. */
import { describe, expect, it } from 'vitest';
import {
  A,
  append,
  apply,
  B,
  blockBy,
  C,
  D,
  delayOf,
  elect,
  FIVE,
  genesis,
  look,
  pass,
  preVote,
  replicate,
  restarted,
  said,
  script,
  setOf,
  tell,
  vote,
  voteRequest,
} from './raft-script.ts';

const X = blockBy(A, 1);

describe('a follower', () => {
  it('campaigns when it hears no leader for an election timeout, after it has asked whether it could win (5.2; thesis 9.6)', () => {
    const it = script();
    look(it);
    pass(it, 2000, 'election');
    expect(look(it)).toEqual(['pre-vote 1 (0 0)']);
    tell(it, C, vote(1, true, true));
    expect(look(it)).toEqual(['persist 1 B [] +', 'vote-request 1 (0 0)']);
    tell(it, C, vote(1));
    expect(look(it)).toEqual(['append 1 head [] beat']);
    expect(it.core.status()).toMatchObject({ phase: 'leader', leader: B, view: 1, voting: true });
  });

  it('waits a random time between one and two timeouts, longer with each campaign in vain, up to a bound (5.2)', () => {
    const delays = Array.from({ length: 20 }, (_, seed) => delayOf(script({ seed: BigInt(seed) }), 'election')!);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...delays)).toBeLessThan(2000);
    expect(new Set(delays).size).toBeGreaterThan(15);
    const it = script();
    const later = Array.from({ length: 10 }, () => {
      pass(it, 20_000, 'election');
      return delayOf(it, 'election')!;
    });
    expect(later.slice(4).every(each => each >= 8000 && each < 16_000)).toBe(true);
    tell(it, A, append(1, []));
    expect(delayOf(it, 'election')).toBeLessThan(2000);
  });

  it('does not campaign while a leader is heard: each word of it starts the timeout anew (5.2)', () => {
    const it = script();
    tell(it, A, append(1, [], genesis, true));
    pass(it, 900);
    look(it);
    tell(it, A, append(1, [], genesis, true));
    expect(delayOf(it, 'election')).toBeGreaterThanOrEqual(1000);
  });

  it('that knows of a final block beyond its log does not campaign', () => {
    const it = script();
    tell(it, A, { type: 'status', height: 3, nonce: 0, term: 1, lastHeight: 3, recorded: true });
    look(it);
    pass(it, 2000, 'election');
    expect(said(it)).toEqual([]);
  });
});

describe('a pre-vote (thesis 9.6)', () => {
  it('changes nothing at who gives it', () => {
    const it = script();
    look(it);
    tell(it, A, preVote(7));
    expect(look(it)).toEqual(['pre-vote 7 yes to A']);
    expect(it.core.status().view).toBe(0);
    tell(it, C, preVote(7));
    expect(look(it)).toEqual(['pre-vote 7 yes to C']);
  });

  it('does not inflate the term of one who cannot win: after any number of timeouts it is where it was', () => {
    const it = script();
    for (let i = 0; i < 100; i++) pass(it, 20_000, 'election');
    expect(it.core.status()).toMatchObject({ view: 0, phase: 'pre-candidate' });
    expect(it.disk.records.size).toBe(0);
  });

  it('is refused while a leader is heard, and given when it was not heard for the shortest timeout', () => {
    const it = script();
    tell(it, A, append(1, []));
    look(it);
    pass(it, 999);
    tell(it, C, preVote(2));
    expect(look(it)).toEqual(['pre-vote 1 no to C']);
    pass(it, 1);
    tell(it, C, preVote(2));
    expect(look(it)).toEqual(['pre-vote 2 yes to C']);
  });

  it('of a term that is not above its own is refused, and the answer takes the asker along', () => {
    const it = script();
    tell(it, A, voteRequest(5));
    look(it);
    tell(it, C, preVote(5));
    expect(look(it)).toEqual(['pre-vote 5 no to C']);
    const behind = script();
    look(behind);
    tell(behind, C, vote(5, false, true));
    expect(look(behind)).toEqual(['persist 5 - [] +']);
    expect(behind.core.status().view).toBe(5);
  });
});

describe('a vote (figure 2, RequestVote)', () => {
  it('is durable before it is said', () => {
    const it = script();
    look(it);
    tell(it, A, voteRequest(1));
    expect(look(it)).toEqual(['persist 1 A [] +', 'vote 1 yes to A']);
  });

  it('is durable in a term that had begun without one, too', () => {
    const it = script();
    tell(it, A, vote(5, false, true));
    look(it);
    tell(it, C, voteRequest(5));
    expect(look(it)).toEqual(['persist 5 C [] +', 'vote 5 yes to C']);
  });

  it('is given once in a term, and again to the same candidate', () => {
    const it = script();
    tell(it, A, voteRequest(1));
    look(it);
    tell(it, C, voteRequest(1));
    tell(it, A, voteRequest(1));
    expect(look(it)).toEqual(['vote 1 no to C', 'vote 1 yes to A']);
  });

  it('is given once in a term across a restart', () => {
    const before = script();
    tell(before, A, voteRequest(1));
    const it = restarted(before);
    look(it);
    tell(it, C, voteRequest(1));
    tell(it, A, voteRequest(1));
    expect(look(it)).toEqual(['vote 1 no to C', 'vote 1 yes to A']);
  });

  it('for itself is the only one that a candidate gives, across a restart too', () => {
    const before = script();
    pass(before, 2000, 'election');
    tell(before, C, vote(1, true, true));
    for (const it of [before, restarted(before)]) {
      look(it);
      tell(it, A, voteRequest(1));
      expect(look(it)).toEqual(['vote 1 no to A']);
    }
  });

  it('of an earlier term is refused', () => {
    const it = script();
    tell(it, A, voteRequest(3));
    look(it);
    tell(it, C, voteRequest(2));
    expect(look(it)).toEqual(['vote 3 no to C']);
  });

  it.each([
    ['a later last term, shorter', 3, 1, 'yes'],
    ['the same end', 2, 2, 'yes'],
    ['the same term, longer', 2, 9, 'yes'],
    ['the same term, shorter', 2, 1, 'no'],
    ['an earlier last term, longer', 1, 9, 'no'],
  ] as const)('for a log with %s (5.4.1)', (_, lastTerm, lastHeight, answer) => {
    const it = script();
    const Y = blockBy(A, 2, X);
    replicate(it, A, 2, [X, Y]);
    pass(it, 1000);
    look(it);
    tell(it, C, voteRequest(9, lastTerm, lastHeight));
    expect(said(it)).toEqual([`vote 9 ${answer} to C`]);
  });

  it('is refused to a log that ends below what is final here, whatever its term', () => {
    const it = script({ head: X });
    look(it);
    tell(it, C, voteRequest(9, 8, 0));
    expect(said(it)).toEqual(['vote 9 no to C']);
  });

  it('is asked for in vain, and no term is taken up, while a leader is heard: the removed do not disrupt (thesis 4.2.3)', () => {
    const it = script();
    tell(it, A, append(1, []));
    pass(it, 500);
    look(it);
    tell(it, C, voteRequest(8));
    expect(look(it)).toEqual([]);
    expect(it.core.status()).toMatchObject({ view: 1, leader: A });
  });

  it('is given all the same where the leader wished for it (thesis 3.10)', () => {
    const it = script();
    tell(it, A, append(1, []));
    look(it);
    tell(it, C, voteRequest(2, 0, 0, true));
    expect(look(it)).toEqual(['persist 2 C [] +', 'vote 2 yes to C']);
  });

  it('of one who is in no set here is neither asked for nor counted', () => {
    const it = script();
    look(it);
    tell(it, D, voteRequest(4));
    tell(it, D, append(4, [], genesis, true));
    expect(look(it)).toEqual([]);
    expect(it.core.status().view).toBe(0);
    pass(it, 2000, 'election');
    tell(it, D, vote(1, true, true));
    expect(it.core.status().phase).toBe('pre-candidate');
  });
});

describe('a candidate', () => {
  it('needs a majority, and counts no one twice, nor votes of another term or of the other kind', () => {
    const it = script({ validators: FIVE });
    pass(it, 2000, 'election');
    for (const key of [A, A]) tell(it, key, vote(1, true, true));
    tell(it, C, vote(1));
    tell(it, C, vote(2, true, true));
    expect(it.core.status().phase).toBe('pre-candidate');
    tell(it, C, vote(1, true, true));
    expect(it.core.status().phase).toBe('candidate');
    for (const key of [A, A]) tell(it, key, vote(1));
    tell(it, C, vote(1, true, true));
    tell(it, C, vote(1, false));
    expect(it.core.status().phase).toBe('candidate');
    tell(it, D, vote(1));
    expect(it.core.status().phase).toBe('leader');
  });

  it('counts power, not heads', () => {
    const validators = [
      { key: A, power: 3 },
      { key: B, power: 1 },
      { key: C, power: 1 },
    ];
    const it = script({ validators });
    pass(it, 2000, 'election');
    tell(it, C, vote(1, true, true));
    expect(it.core.status().phase).toBe('pre-candidate');
    tell(it, A, vote(1, true, true));
    expect(it.core.status().phase).toBe('candidate');
  });

  it('follows a leader of its term, and one of a later term (5.2)', () => {
    for (const term of [1, 3]) {
      const it = script();
      pass(it, 2000, 'election');
      tell(it, C, vote(1, true, true));
      tell(it, A, append(term, [], genesis, true));
      expect(it.core.status()).toMatchObject({ phase: 'follower', leader: A, view: term });
      tell(it, C, vote(1));
      expect(it.core.status().phase).toBe('follower');
    }
  });

  it('of its own majority does not wait: a network of one leads itself at once, and after a restart', () => {
    const before = script({ validators: setOf(B) });
    expect(look(before)).toContain('persist 1 B [] +');
    expect(before.core.status().phase).toBe('leader');
    const it = restarted(before, { validators: setOf(B) });
    expect(it.core.status()).toMatchObject({ phase: 'leader', view: 2 });
  });
});

describe('a leader', () => {
  it('steps down when it has heard no majority for two base timeouts (thesis 6.2)', () => {
    const it = script();
    elect(it);
    pass(it, 1900);
    tell(it, C, { type: 'append-reply', term: 1, height: 0 });
    pass(it, 1900, 'beat');
    expect(it.core.status().phase).toBe('leader');
    pass(it, 100, 'beat');
    expect(it.core.status()).toMatchObject({ phase: 'follower', leader: null, view: 1 });
    expect(delayOf(it, 'election')).toBeGreaterThanOrEqual(1000);
  });

  it('hears nobody in what is no answer to it', () => {
    const it = script();
    elect(it);
    pass(it, 1900);
    tell(it, C, preVote(2));
    tell(it, C, { type: 'append-reply', term: 0, height: 0 });
    pass(it, 100, 'beat');
    expect(it.core.status().phase).toBe('follower');
  });

  it('is the end of the term for who learns of a later one from an answer (5.1)', () => {
    const it = script();
    elect(it);
    look(it);
    tell(it, C, { type: 'append-reply', term: 4, height: 0 });
    expect(look(it)).toEqual(['persist 4 - [] +', 'cancel']);
    expect(it.core.status()).toMatchObject({ phase: 'follower', view: 4 });
  });

  it('of an earlier term is told so, when it asks for a sign of life', () => {
    const it = script();
    tell(it, C, append(3, []));
    look(it);
    tell(it, A, append(2, [], genesis, true));
    expect(look(it)).toEqual(['reply 3 at 0 to A']);
    expect(it.core.status().leader).toBe(C);
  });

  it('is one in a term: the second to claim it is not followed', () => {
    const it = script();
    tell(it, C, append(3, []));
    look(it);
    tell(it, A, append(3, [], genesis, true));
    expect(look(it)).toEqual([]);
    expect(it.core.status().leader).toBe(C);
  });

  it('names a successor, which campaigns at once, and only on its word (thesis 3.10)', () => {
    const it = script();
    tell(it, A, append(2, []));
    look(it);
    tell(it, C, { type: 'timeout-now', term: 2 });
    tell(it, A, { type: 'timeout-now', term: 1 });
    expect(look(it)).toEqual([]);
    tell(it, A, { type: 'timeout-now', term: 2 });
    expect(look(it)).toEqual(['persist 3 B [] +', 'vote-request 3 (0 0) transfer']);
  });
});

describe('a campaign', () => {
  it('ends when another block becomes final where its own log stood: the votes were for that log', () => {
    const it = script();
    replicate(it, A, 1, [X]);
    const other = blockBy(C, 2);
    pass(it, 2000, 'election');
    tell(it, C, vote(2, true, true));
    expect(it.core.status().phase).toBe('candidate');
    apply(it, other);
    expect(it.core.status()).toMatchObject({ phase: 'follower', view: 2, height: 2 });
    tell(it, C, vote(2));
    expect(it.core.status().phase).toBe('follower');
  });
});
