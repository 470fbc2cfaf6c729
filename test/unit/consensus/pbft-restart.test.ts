import { describe, expect, it } from 'vitest';
import {
  A,
  apply,
  B,
  blockBy,
  C,
  change,
  D,
  feed,
  genesis,
  hold,
  judge,
  look,
  pass,
  proposal,
  type Script,
  said,
  script,
  signatures,
  tell,
  vote,
} from './script.ts';

const block = blockBy(A);
const other = blockBy(A, 1);
const prepares = signatures('prepare', block, 0, [A, C, D]);

/** The same validator after a crash, with what was durable. */
function restarted(it: Script, head = genesis): Script {
  const next = script({ self: it.self, disk: it.disk, now: it.now + 100, head });
  for (const [id, name] of it.names) next.names.set(id, name);
  for (const [id, header] of it.headers) next.headers.set(id, header);
  return next;
}

describe('what was promised before a crash', () => {
  it('a prepare is said again, and no other block is prepared in its view', () => {
    const before = script();
    hold(before, block, 'X');
    tell(before, A, proposal(block));
    judge(before, block);
    const it = restarted(before);
    expect(said(it)).toEqual(['prepare X in 0', 'validate X']);
    hold(it, other, 'Y');
    tell(it, A, proposal(other));
    judge(it, other);
    expect(said(it)).toEqual([]);
    for (const key of [A, C]) tell(it, key, vote('prepare', block));
    expect(said(it)).toEqual(['commit X in 0']);
  });

  it('a commit is said again, and the lock goes into the round change', () => {
    const before = script();
    hold(before, block, 'X');
    tell(before, A, proposal(block));
    judge(before, block);
    for (const key of [A, C]) tell(before, key, vote('prepare', block));
    const it = restarted(before);
    expect(said(it)).toEqual(['prepare X in 0', 'commit X in 0', 'validate X']);
    pass(it, 1000, 'view');
    expect(said(it)).toEqual(['round-change to 1, prepared X in 0']);
  });

  it('a round change is said again, and nothing of an earlier view is voted for', () => {
    const before = script();
    pass(before, 11_000, 'view');
    const it = restarted(before);
    expect(said(it)).toEqual(['round-change to 1']);
    hold(it, block, 'X');
    tell(it, A, proposal(block));
    expect(said(it)).toEqual([]);
    expect(it.core.status().view).toBe(1);
  });

  it('in a view that no quorum has been seen in, its timer does not run', () => {
    const before = script();
    pass(before, 11_000, 'view');
    const it = restarted(before);
    expect(look(it, true).filter(line => line.startsWith('timer view'))).toEqual([]);
    for (const key of [C, D]) tell(it, key, change(1));
    expect(look(it, true)).toContain('timer view 2000');
  });

  it('a proposal is said again with its justification, and no other is made in its view', () => {
    const mine = blockBy(B);
    const before = script();
    for (const key of [C, D]) tell(before, key, change(1));
    before.headers.set(mine.id, mine.header);
    before.names.set(mine.id, 'X');
    feed(before, { type: 'built', job: '1/1', block: mine });
    const it = restarted(before);
    expect(said(it)).toEqual(['proposal X in 1', 'prepare X in 1', 'validate X']);
    feed(it, { type: 'built', job: '1/1', block: blockBy(B, 1) });
    for (const key of [C, D]) tell(it, key, change(1));
    pass(it, 10, 'propose');
    expect(said(it)).toEqual([]);
  });

  it('a proposal that was built but not durable binds nobody: the next life builds anew', () => {
    const before = script({ self: A });
    feed(before, { type: 'work', since: before.now });
    pass(before, 20, 'propose');
    const it = restarted(before);
    expect(said(it)).toEqual([]);
    feed(it, { type: 'work', since: before.now });
    pass(it, 20, 'propose');
    expect(said(it)).toEqual(['build 1/0']);
  });

  it('a repeated proposal of a block that is not here yet is said again too', () => {
    const before = script();
    before.names.set(block.id, 'X');
    const prepared = { view: 0, block: block.id, signatures: prepares };
    tell(before, C, { type: 'round-change', height: 1, view: 1, prepared });
    tell(before, D, change(1));
    const it = restarted(before);
    expect(said(it)).toEqual(['proposal X in 1', 'fetch X from ACD']);
  });

  it('decided heights bind no more, and their decision is kept for who missed it', () => {
    const before = script();
    hold(before, block, 'X');
    tell(before, A, proposal(block));
    judge(before, block);
    for (const type of ['prepare', 'commit'] as const) for (const key of [A, C]) tell(before, key, vote(type, block));
    apply(before, block);
    pass(before, 11_000, 'view');
    const it = restarted(before, block);
    expect(said(it)).toEqual(['round-change to 1']);
    pass(it, 5000);
    tell(it, D, vote('prepare', block));
    expect(said(it)).toEqual(['decision X in 0 to D']);
  });

  it("a ledger that fell behind its validator's votes gets none until it has caught up with them", () => {
    const before = script();
    apply(before, block);
    hold(before, blockBy(B, 0, block), 'Y');
    pass(before, 11_000, 'view');
    const it = restarted(before);
    expect(it.core.status()).toMatchObject({ height: 1, voting: false });
    apply(it, block);
    expect(it.core.status()).toMatchObject({ height: 2, view: 1, voting: true });
  });
});
