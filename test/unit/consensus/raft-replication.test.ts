/** Log replication and commitment, rule by rule: the paper's figure 2, sections 5.3 and 5.4. */
import { describe, expect, it } from 'vitest';
import { LOG_ENTRIES_MAX } from '../../../consensus/raft/log.ts';
import { signed } from '../../../consensus/raft/messages.ts';
import { CHAIN_ID, type SimulatedBlock } from '../../simulation/chain.ts';
import { stubSign } from '../../simulation/keys.ts';
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
  delayOf,
  elect,
  FIVE,
  feed,
  genesis,
  hold,
  judge,
  look,
  named,
  pass,
  replicate,
  said,
  script,
  tell,
  X,
  Y,
} from './raft-script.ts';

describe('a leader', () => {
  it('builds, has the block and the log durable, and only then says so; its own acknowledgement counts as any (5.3)', () => {
    const it = script();
    elect(it);
    expect(said(it)).toContain('build 1/1 on head');
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    expect(look(it)).toEqual(['persist 1 B [Z] +Z', 'publish Z', 'append 1 head [Z]', 'ack Z in 1', 'validate Z']);
    judge(it, Z);
    tell(it, C, ack(1, Z));
    expect(look(it)).toEqual(['decision Z in 1 by BC', 'adopt Z in 1 by 12']);
  });

  it('hands over to the ledger only what was executed here', () => {
    const it = script();
    elect(it);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    tell(it, C, ack(1, Z));
    expect(said(it)).not.toContain('adopt Z in 1 by 12');
    judge(it, Z);
    expect(said(it)).toEqual(['adopt Z in 1 by 12']);
  });

  it('opens one height at a time: the next is built when the ledger has taken the last', () => {
    const it = script({ params: { heartbeatMs: 0, blockIntervalMinMs: 0 } });
    elect(it);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    judge(it, Z);
    tell(it, C, ack(1, Z));
    look(it);
    feed(it, { type: 'work', since: it.now });
    expect(said(it)).toEqual([]);
    apply(it, Z);
    expect(said(it)).toEqual(['build 2/1 on Z']);
  });

  it('builds when work waits, but not before the block interval, and an empty block at the heartbeat', () => {
    const it = script({ params: { heartbeatMs: 100_000 } });
    elect(it);
    expect(said(it).some(each => each.startsWith('build'))).toBe(false);
    expect(delayOf(it, 'propose')).toBeUndefined();
    feed(it, { type: 'work', since: it.now });
    expect(said(it)).toEqual(['build 1/1 on head']);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    judge(it, Z);
    tell(it, C, ack(1, Z));
    look(it);
    apply(it, Z);
    expect(delayOf(it, 'propose')).toBe(20);
    expect(look(it)).toEqual([]);
    pass(it, 20, 'propose');
    expect(said(it)).toEqual(['build 2/1 on Z']);
  });

  it('asks again where no block could be built', () => {
    const it = script();
    elect(it);
    look(it);
    feed(it, { type: 'built', job: '1/1', block: null });
    expect(look(it)).toEqual([]);
    pass(it, 250, 'propose');
    expect(said(it)).toEqual(['build 1/1 on head']);
  });

  it('says its log again with each beat, four times in a base timeout', () => {
    const it = script();
    elect(it);
    build(it, blockBy(B, 1), 'Z');
    look(it);
    pass(it, 250, 'beat');
    expect(look(it)).toEqual(['append 1 head [Z] beat']);
    expect(delayOf(it, 'beat')).toBeUndefined();
  });

  it.each([
    ['of an earlier term', (Z: SimulatedBlock) => ack(0, Z)],
    ['of a later term', (Z: SimulatedBlock) => ack(2, Z)],
    ['of another block', () => ack(1, X)],
    ['of a height that is not open', () => ack(1, Y)],
  ])('does not count an acknowledgement %s', (_, of) => {
    const it = script();
    elect(it);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    judge(it, Z);
    look(it);
    const message = of(Z);
    // Even where it was taken for useful when it came in, and the term has changed since.
    const signature = stubSign(C, signed(CHAIN_ID, message));
    feed(it, { type: 'message', from: C, message, signature });
    expect(said(it)).toEqual([]);
  });

  it('counts each server once, and who is in the set of the height alone', () => {
    const it = script({ validators: FIVE });
    elect(it, [A, C]);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    judge(it, Z, { validators: FIVE });
    look(it);
    for (let i = 0; i < 3; i++) tell(it, A, ack(1, Z));
    expect(said(it)).toEqual([]);
    tell(it, D, ack(1, Z));
    expect(said(it)).toEqual(['decision Z in 1 by ABD', 'adopt Z in 1 by 013']);
  });

  it('begins each of its terms without acknowledgements: those of an earlier one are no part of a certificate (etcd, ABA race: 11)', () => {
    const it = script({ validators: FIVE });
    elect(it, [A, C]);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    judge(it, Z, { validators: FIVE });
    tell(it, A, ack(1, Z));
    pass(it, 4000, 'beat');
    expect(elect(it, [A, C])).toBe(2);
    build(it, blockBy(B, 2, Z), 'N');
    look(it);
    tell(it, C, ack(2, Z));
    expect(said(it)).toEqual([]);
    tell(it, D, ack(2, Z));
    expect(said(it)).toEqual(['decision Z in 2 by BCD', 'adopt Z in 2 by 123']);
  });

  it('never changes what is in its log: a block of another leader is not taken in (leader append-only)', () => {
    const it = named(script());
    elect(it);
    const Z = blockBy(B, 1);
    build(it, Z, 'Z');
    look(it);
    tell(it, A, append(1, [X]));
    hold(it, X);
    expect(said(it)).toEqual([]);
  });
});

describe('an old term (5.4.2, figure 8)', () => {
  it("is not committed by counting: the leader's first block stands on what it inherits, and is asked for at once", () => {
    const it = named(script({ params: { heartbeatMs: 1e6 } }));
    replicate(it, A, 1, [X]);
    elect(it, [C]);
    expect(said(it).at(-1)).toBe('build 2/2 on X');
    for (const key of [A, C]) tell(it, key, ack(1, X));
    expect(said(it)).toEqual([]);
    const N = blockBy(B, 2, X);
    build(it, N, 'N');
    judge(it, N);
    expect(said(it)).toEqual(['publish N', 'append 2 head [XN]', 'ack X in 2', 'ack N in 2', 'validate N']);
    tell(it, C, ack(2, X));
    expect(said(it)).toEqual(['decision X in 2 by BC', 'adopt X in 2 by 12']);
  });

  it('is not acknowledged before the log goes on to an entry of the new leader', () => {
    const it = named(script());
    const N = blockBy(C, 2, X);
    replicate(it, C, 2, [X]);
    expect(said(it)).toEqual(['fetch X from C', 'validate X']);
    it.names.set(N.id, 'N');
    replicate(it, C, 2, [X, N]);
    expect(look(it)).toEqual([
      'fetch N from C',
      'validate N',
      'persist 2 - [XN] +N',
      'ack X in 2 to C',
      'ack N in 2 to C',
    ]);
  });

  it('that was acknowledged by a majority can still be overwritten, as long as no entry of a later term stands on it (figure 8: 9)', () => {
    const it = named(script());
    const old = blockBy(A, 3);
    replicate(it, A, 3, [old]);
    it.names.set(old.id, 'old');
    const other = blockBy(C, 2);
    it.names.set(other.id, 'other');
    const N = blockBy(C, 4, other);
    it.names.set(N.id, 'N');
    tell(it, C, append(4, [other, N]));
    hold(it, other);
    look(it);
    // In one step: a log of an earlier last term than it had would be a wrong vote in the meantime.
    judge(it, other);
    hold(it, N);
    expect(look(it)).toEqual(['fetch N from C', 'validate N']);
    judge(it, N);
    expect(look(it)).toEqual(['persist 4 - [otherN] +otherN', 'ack other in 4 to C', 'ack N in 4 to C']);
  });
});

describe('a follower (figure 2, AppendEntries)', () => {
  it('brings the block here, has it executed, has block and log durable, and only then acknowledges', () => {
    const it = named(script());
    look(it);
    tell(it, A, append(1, [X]));
    expect(look(it)).toEqual(['persist 1 - [] +', 'fetch X from A']);
    hold(it, X);
    expect(look(it)).toEqual(['validate X']);
    judge(it, X);
    expect(look(it)).toEqual(['persist 1 - [X] +X', 'ack X in 1 to A']);
  });

  it('acknowledges what it said before only when a beat asks, and answers each beat once', () => {
    const it = named(script());
    replicate(it, A, 1, [X]);
    look(it);
    tell(it, A, append(1, [X]));
    expect(look(it)).toEqual([]);
    tell(it, A, append(1, [X], genesis, true));
    expect(look(it)).toEqual(['reply 1 at 0 to A', 'ack X in 1 to A']);
  });

  it('refuses the words of an earlier term', () => {
    const it = named(script());
    tell(it, C, append(2, []));
    hold(it, X);
    look(it);
    tell(it, A, append(1, [X]));
    expect(look(it)).toEqual([]);
  });

  it('does not take in entries that stand on what it does not have (consistency check, 5.3)', () => {
    const it = named(script());
    hold(it, Y);
    look(it);
    tell(it, A, append(1, [Y], X));
    expect(said(it)).toEqual([]);
    pass(it, 250, 'sync');
    expect(said(it)).toEqual(['sync 1 from A']);
    apply(it, X);
    expect(said(it)).toEqual(['validate Y']);
  });

  it('takes in entries that stand on a block of its log which is not final here yet', () => {
    const it = named(script());
    replicate(it, A, 1, [X]);
    look(it);
    replicate(it, A, 1, [Y], X);
    expect(said(it)).toEqual(['fetch Y from A', 'validate Y', 'ack Y in 1 to A']);
  });

  it('goes on with the longest word of its leader, whatever comes late', () => {
    const it = named(script());
    tell(it, A, append(1, [X, Y]));
    tell(it, A, append(1, [X]));
    hold(it, X);
    judge(it, X);
    expect(said(it)).toEqual(['fetch X from A', 'validate X', 'fetch Y from A', 'ack X in 1 to A']);
    hold(it, Y);
    expect(said(it)).toEqual(['validate Y']);
  });

  it('replaces what conflicts with the log of a later leader, and nothing else (log matching, 5.3)', () => {
    const it = named(script());
    replicate(it, A, 1, [X, Y]);
    const N = blockBy(C, 2, X);
    it.names.set(N.id, 'N');
    look(it);
    replicate(it, C, 2, [X, N]);
    expect(look(it)).toEqual([
      'persist 2 - [XY] +',
      'fetch N from C',
      'validate N',
      'persist 2 - [XN] +N',
      'ack X in 2 to C',
      'ack N in 2 to C',
    ]);
  });

  it('keeps its entries when an older and shorter word of the same leader comes late', () => {
    const it = named(script());
    replicate(it, A, 1, [X, Y]);
    look(it);
    tell(it, A, append(1, [X]));
    tell(it, A, append(1, [], genesis, true));
    expect(look(it)).toEqual(['reply 1 at 0 to A', 'ack X in 1 to A', 'ack Y in 1 to A']);
  });

  it.each([
    ['by another proposer than the leader', blockBy(C, 1)],
    ['of a later term than the leader’s', blockBy(A, 2)],
    ['without a term', { ...X, header: { ...X.header, seal: new Uint8Array(0) } }],
    ['on another parent', { ...X, header: { ...X.header, parent: Y.id } }],
    ['at another height', { ...X, header: { ...X.header, height: 2 } }],
  ])('takes in no block %s, and takes such a leader for none', (_, bad) => {
    const it = script();
    tell(it, A, append(1, [bad]));
    hold(it, bad);
    pass(it, 100);
    look(it);
    tell(it, A, append(1, [bad], genesis, true));
    expect(look(it)).toEqual([]);
    expect(delayOf(it, 'election')).toBeUndefined();
  });

  it('takes in no block of an earlier term than the one below', () => {
    const it = script();
    const N = blockBy(A, 2);
    const bad = blockBy(A, 1, N);
    replicate(it, A, 2, [N]);
    look(it);
    tell(it, A, append(2, [N, bad]));
    hold(it, bad);
    expect(said(it).filter(each => !each.startsWith('fetch'))).toEqual([]);
  });

  it('acknowledges no block that is invalid', () => {
    const it = named(script());
    tell(it, A, append(1, [X]));
    hold(it, X);
    judge(it, X, null);
    tell(it, A, append(1, [X], genesis, true));
    expect(said(it)).toEqual(['fetch X from A', 'validate X']);
  });

  it('waits with a block of the future until it is within the drift', () => {
    const it = script();
    const future = blockBy(A, 1, genesis, 0, it.now + 700);
    tell(it, A, append(1, [future]));
    hold(it, future, 'F');
    expect(said(it).at(-1)).toMatch(/^fetch/);
    expect(delayOf(it, 'drift')).toBeUndefined();
    pass(it, 200, 'drift');
    expect(said(it)).toEqual(['validate F']);
  });

  it('keeps at most so many entries, whatever a leader says', () => {
    const it = script();
    let parent = genesis;
    const blocks = Array.from({ length: LOG_ENTRIES_MAX }, () => {
      parent = blockBy(A, 1, parent);
      return parent;
    });
    replicate(it, A, 1, blocks);
    const head = blocks[0]!;
    const beyond = blockBy(A, 1, parent);
    look(it);
    tell(it, A, append(1, [...blocks.slice(1), beyond], head));
    hold(it, beyond);
    judge(it, beyond);
    expect(said(it).filter(each => each.startsWith('ack'))).toEqual([]);
  });

  it('asks for a block again after a base timeout, and not before', () => {
    const it = named(script());
    tell(it, A, append(1, [X]));
    look(it);
    tell(it, A, append(1, [X]));
    expect(said(it)).toEqual([]);
    pass(it, 1000, 'fetch');
    expect(said(it)).toEqual(['fetch X from A']);
  });
});
