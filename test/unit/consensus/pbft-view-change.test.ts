import { describe, expect, it } from 'vitest';
import { VIEW_MAX } from '../../../consensus/certificate.ts';
import {
  A,
  apply,
  B,
  blockBy,
  C,
  change,
  D,
  feed,
  hold,
  judge,
  justify,
  look,
  pass,
  preparedBy,
  proposal,
  said,
  script,
  signatures,
  tell,
  vote,
} from './script.ts';

const block = blockBy(A);
const fresh = blockBy(B, 1);
const nothing = (...signers: (typeof A)[]) => new Map(signers.map(key => [key, null]));

/** B, C or D with X prepared in view 0, its commit sent, and nothing decided. */
function lockedScript(self = B) {
  const it = script({ self });
  hold(it, block, 'X');
  tell(it, A, proposal(block));
  judge(it, block);
  for (const key of [A, B, C, D]) if (key !== self) tell(it, key, vote('prepare', block));
  expect(said(it)).toContain('commit X in 0');
  return it;
}

describe('PBFT 4.4, leaving a view', () => {
  it('a view that ends without a decision: the promise is durable, then the round change leaves', () => {
    const it = script();
    look(it);
    pass(it, 11_000, 'view');
    expect(look(it)).toEqual(['persist', 'round-change to 1']);
    expect(it.core.status()).toMatchObject({ view: 1, phase: 'view-change', viewChanges: 1 });
  });

  it('carries what was prepared, with its quorum', () => {
    const it = lockedScript();
    pass(it, 1000, 'view');
    expect(said(it)).toEqual(['round-change to 1, prepared X in 0']);
  });

  it('nothing of an earlier view is voted for afterwards', () => {
    const it = script();
    pass(it, 11_000, 'view');
    look(it);
    hold(it, block, 'X');
    tell(it, A, proposal(block));
    for (const key of [A, C, D]) tell(it, key, vote('prepare', block));
    expect(said(it)).toEqual([]);
  });

  it('but a quorum of commits of an earlier view still decides', () => {
    const it = script();
    pass(it, 11_000, 'view');
    look(it);
    hold(it, block, 'X');
    for (const key of [A, C, D]) tell(it, key, vote('commit', block));
    judge(it, block);
    expect(said(it)).toEqual(['validate X', 'adopt X at 1 by 0,2,3']);
  });

  it('4.5.2 rule 2: follows f + 1 to the lowest of their views, and one alone nowhere', () => {
    const it = script();
    tell(it, D, change(9));
    expect(said(it)).toEqual([]);
    tell(it, C, change(7));
    expect(said(it)).toEqual(['round-change to 7']);
    tell(it, A, change(8));
    expect(said(it)).toEqual(['round-change to 8']);
    tell(it, C, change(6));
    expect(said(it)).toEqual([]);
  });

  it('4.5.2 rule 1: the timer of a view starts when a quorum is in it, and doubles from view to view up to the cap', () => {
    const it = script();
    pass(it, 11_000, 'view');
    tell(it, C, change(1));
    expect(look(it, true).filter(line => line.startsWith('timer view'))).not.toContain('timer view 2000');
    tell(it, D, change(1));
    expect(look(it, true)).toContain('timer view 2000');
    pass(it, 2000, 'view');
    tell(it, C, change(2));
    tell(it, D, change(2));
    expect(look(it, true)).toContain('timer view 4000');
    tell(it, C, change(1_000_000));
    tell(it, D, change(1_000_000));
    expect(look(it, true)).toContain('timer view 8000');
  });

  it('the last view there is has no next', () => {
    const it = script();
    for (const key of [C, D]) tell(it, key, change(VIEW_MAX));
    pass(it, 8000, 'view');
    expect(said(it)).toEqual([`round-change to ${VIEW_MAX}`]);
  });

  it('a round change that names a prepared block without a quorum of prepares does not count', () => {
    for (const prepared of [
      preparedBy(block, 0, [A, C]),
      preparedBy(block, 1, [A, C, D]),
      preparedBy(block, 2, [A, C, D]),
    ]) {
      const it = script();
      tell(it, C, change(1, prepared));
      tell(it, D, change(1, prepared));
      expect(said(it)).toEqual([]);
    }
  });

  it('two round changes of one validator to one view, naming different things, are reported', () => {
    const it = script();
    tell(it, C, change(1));
    tell(it, C, change(1, preparedBy(block, 0, [A, C, D])));
    expect(said(it)).toEqual(['report C round-change in view 1']);
  });
});

describe('PBFT 4.4, the new leader', () => {
  it('builds a block when nobody in a quorum had prepared one', () => {
    const it = script();
    for (const key of [C, D]) tell(it, key, change(1));
    expect(said(it)).toEqual(['round-change to 1', 'build 1/1']);
    it.headers.set(fresh.id, fresh.header);
    it.names.set(fresh.id, 'Y');
    feed(it, { type: 'built', job: '1/1', block: fresh });
    expect(look(it)).toEqual(['persist Y', 'publish Y', 'proposal Y in 1', 'prepare Y in 1']);
  });

  it('waits for a quorum: its own and one other round change are too few', () => {
    const it = script();
    pass(it, 11_000, 'view');
    tell(it, C, change(1));
    expect(said(it)).toEqual(['round-change to 1']);
  });

  it('a round change to a later view begins its view too, but gives no mandate for it', () => {
    const it = script();
    tell(it, C, change(1));
    tell(it, D, change(2));
    expect(said(it)).toEqual(['round-change to 1']);
    expect(it.core.status().phase).toBe('waiting');
    tell(it, A, change(1));
    expect(said(it)).toEqual(['build 1/1']);
  });

  it('repeats the highest prepared block, which it has to fetch first where it lacks it', () => {
    const it = script();
    it.names.set(block.id, 'X');
    tell(it, C, change(1, preparedBy(block, 0, [A, C, D])));
    tell(it, D, change(1));
    expect(said(it)).toEqual(['round-change to 1', 'proposal X in 1', 'fetch X from ACD']);
    hold(it, block);
    judge(it, block);
    expect(said(it)).toEqual(['validate X', 'prepare X in 1']);
  });

  it('of two prepared blocks takes the one of the higher view', () => {
    const it = script({ self: C });
    it.names.set(block.id, 'X').set(fresh.id, 'Y');
    tell(it, A, change(2, preparedBy(block, 0, [A, B, C])));
    tell(it, D, change(2, preparedBy(fresh, 1, [A, B, D])));
    expect(said(it).filter(line => line.startsWith('proposal'))).toEqual(['proposal Y in 2']);
  });

  it('a block that was still being built for an earlier view is dropped', () => {
    const it = script({ self: A });
    feed(it, { type: 'work', since: it.now - 1000 });
    pass(it, 20, 'propose');
    expect(said(it)).toEqual(['build 1/0']);
    for (const key of [B, C]) tell(it, key, change(1));
    feed(it, { type: 'built', job: '1/0', block });
    expect(said(it)).toEqual(['cancel 1/0', 'round-change to 1']);
  });

  it('nor does it pass for the block of a later view of the same leader', () => {
    const it = script({ self: A });
    feed(it, { type: 'work', since: it.now - 1000 });
    pass(it, 20, 'propose');
    for (const key of [B, C, D]) tell(it, key, change(4));
    expect(said(it)).toEqual(['build 1/0', 'cancel 1/0', 'round-change to 4', 'build 1/4']);
    feed(it, { type: 'built', job: '1/0', block });
    expect(said(it)).toEqual([]);
  });
});

describe('QBFT, proposal justification', () => {
  const X = { view: 0, block };
  const prepares = signatures('prepare', block, 0, [A, B, C]);

  it.each([
    ['a fresh block with a quorum of round changes that name nothing', fresh, justify(1, nothing(A, C, D)), true],
    ['a fresh block with two round changes', fresh, justify(1, nothing(A, C)), false],
    [
      "a fresh block with two round changes and a stranger's",
      fresh,
      justify(1, new Map([...nothing(A, C), [blockBy(A).header.proposer.replaceAll('1', '7') as typeof A, null]])),
      false,
    ],
    ['a fresh block without justification', fresh, null, false],
    [
      'a fresh block although one round change names another',
      fresh,
      justify(1, new Map([...nothing(A, C), [D, X]]), prepares),
      false,
    ],
    ['the prepared block with its prepares', block, justify(1, new Map([...nothing(A, C), [D, X]]), prepares), true],
    [
      'the prepared block with too few prepares',
      block,
      justify(1, new Map([...nothing(A, C), [D, X]]), prepares.slice(1)),
      false,
    ],
    [
      'a block that is said to be prepared in the view itself',
      block,
      justify(1, new Map([...nothing(A, C), [D, { view: 1, block }]]), signatures('prepare', block, 1, [A, C, D])),
      false,
    ],
    ['the prepared block named by nobody', block, justify(1, nothing(A, C, D), prepares), false],
    ['the prepared block without prepares', block, justify(1, new Map([...nothing(A, C), [D, X]])), false],
  ])('%s: accepted %s', (_, proposed, justification, accepted) => {
    const it = script({ self: C });
    hold(it, proposed, 'P');
    tell(it, B, proposal(proposed, 1, justification));
    expect(said(it)).toEqual(accepted ? ['validate P'] : []);
    if (!accepted) return;
    judge(it, proposed);
    expect(said(it)).toEqual(['prepare P in 1']);
  });

  it('a justification in view 0 is refused', () => {
    const it = script();
    hold(it, block, 'X');
    tell(it, A, proposal(block, 0, justify(0, nothing(A, C, D))));
    expect(said(it)).toEqual([]);
  });

  it('a fresh block of view 1 must be of the leader of view 1; a repeated one may be of anyone', () => {
    const it = script({ self: C });
    hold(it, block, 'X');
    tell(it, B, proposal(block, 1, justify(1, nothing(A, C, D))));
    expect(said(it)).toEqual(['round-change to 2']);
  });

  it('a liar who names a later view than was prepared does not displace the block', () => {
    const lie = new Map([...nothing(A), [C, X], [D, { view: 1, block: fresh }]]);
    const it = script({ self: C });
    hold(it, block, 'X');
    tell(it, C, change(2, preparedBy(block, 0, [A, B, C])));
    tell(it, C, proposal(block, 2, justify(2, lie, prepares)));
    expect(said(it)).toEqual([]);
  });

  it('who locked on X votes for X in a later view', () => {
    const it = lockedScript(C);
    tell(it, B, proposal(block, 1, justify(1, new Map([...nothing(A, D), [B, X]]), prepares)));
    expect(said(it)).toEqual(['prepare X in 1']);
  });

  it('who locked on X does not vote for a fresh block on the word of fewer than a quorum', () => {
    const it = lockedScript(C);
    hold(it, fresh, 'Y');
    tell(it, B, proposal(fresh, 1, justify(1, nothing(A, D))));
    expect(said(it)).toEqual([]);
  });

  it('stripped attachments keep a good proposal out once, not for ever', () => {
    const it = script({ self: C });
    hold(it, fresh, 'Y');
    tell(it, B, proposal(fresh, 1, null));
    expect(said(it)).toEqual([]);
    tell(it, B, proposal(fresh, 1, justify(1, nothing(A, C, D))));
    expect(said(it)).toEqual(['validate Y']);
  });
});

describe('timers', () => {
  const viewTimer = (it: ReturnType<typeof script>) =>
    look(it, true)
      .filter(line => line.startsWith('timer view'))
      .at(-1);

  it('idle: the heartbeat and one timeout', () => {
    expect(viewTimer(script())).toBe('timer view 11000');
  });

  it('work: from when it waits; what waited before the block was adopted counts from the end of the block interval', () => {
    const it = script();
    it.now += 500;
    feed(it, { type: 'work', since: it.now - 100 });
    expect(viewTimer(it)).toBe('timer view 900');
    apply(it, block);
    expect(viewTimer(it)).toBe('timer view 1020');
    feed(it, { type: 'work', since: null });
    expect(viewTimer(it)).toBe('timer view 11000');
  });

  it('Besu #2095: the timer never ends before the leader may propose', () => {
    const it = script({ params: { blockIntervalMinMs: 5000 } });
    feed(it, { type: 'work', since: it.now });
    expect(viewTimer(it)).toBe('timer view 6000');
  });

  it('a proposal is work, whatever waits here', () => {
    const it = script();
    tell(it, A, proposal(block));
    expect(viewTimer(it)).toBe('timer view 1000');
  });

  it('a leader who missed its turn and was not heard since gets a quarter, until it is heard', () => {
    const it = script();
    pass(it, 11_000, 'view');
    apply(it, blockBy(D));
    feed(it, { type: 'work', since: it.now });
    expect(it.core.status().leader).toBe(A);
    expect(viewTimer(it)).toBe('timer view 270');
    tell(it, A, { type: 'status', height: 1, nonce: 0, recorded: true });
    expect(viewTimer(it)).toBe('timer view 1020');
  });

  it('an idle network is silent', () => {
    const it = script();
    look(it);
    apply(it, block);
    pass(it, 9000);
    feed(it, { type: 'work', since: null });
    expect(look(it)).toEqual([]);
  });

  it('an undecided core says its last words again every base timeout, a constant number of them', () => {
    const it = lockedScript();
    for (let i = 0; i < 3; i++) {
      pass(it, 900, 'resend');
      expect(said(it)).toEqual(['prepare X in 0', 'commit X in 0']);
    }
    pass(it, 1000, 'view');
    said(it);
    for (let i = 0; i < 3; i++) {
      pass(it, 1000, 'resend');
      expect(said(it)).toEqual(['round-change to 1, prepared X in 0']);
    }
  });
});
