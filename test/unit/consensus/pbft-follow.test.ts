import { describe, expect, it } from 'vitest';
import type { Message } from '../../../consensus/bft/messages.ts';
import type { NodeId } from '../../../ledger/types/ids.ts';
import { keyOf } from '../../simulation/keys.ts';
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
  look,
  pass,
  proposal,
  said,
  script,
  signatures,
  tell,
  vote,
} from './script.ts';

const block = blockBy(A);
const next = blockBy(B, 0, block);

const decision = (of = block, signers: readonly NodeId[] = [A, C, D]): Message => ({
  type: 'decision',
  height: of.header.height,
  view: 0,
  block: of.id,
  signatures: signatures('commit', of, 0, signers),
});

const status = (height: number, nonce = 0, recorded = true): Message => ({ type: 'status', height, nonce, recorded });

/** B after deciding X at height 1. */
function decidedScript() {
  const it = script();
  hold(it, block, 'X');
  for (const key of [A, C, D]) tell(it, key, vote('commit', block));
  judge(it, block);
  apply(it, block);
  look(it);
  return it;
}

describe('a decision from others', () => {
  it('is taken for the current height: fetched, executed, adopted', () => {
    const it = script();
    it.names.set(block.id, 'X');
    tell(it, D, decision());
    expect(said(it)).toEqual(['fetch X from ACD']);
    hold(it, block);
    judge(it, block);
    expect(said(it)).toEqual(['validate X', 'adopt X at 1 by 0,2,3']);
  });

  it('needs a quorum of validators', () => {
    const it = script();
    tell(it, D, decision(block, [A, C]));
    tell(it, D, decision(block, [A, C, keyOf(9)]));
    expect(said(it)).toEqual([]);
  });

  it('of a later height asks for block sync', () => {
    const it = script();
    tell(it, D, decision(next));
    expect(said(it)).toEqual(['sync to 2 from D']);
  });

  it('claims every commit in it, bound to height, view and block', () => {
    const it = script();
    const claims = it.core.claims(decision())!;
    expect(claims.map(each => each.signer)).toEqual([A, C, D]);
    expect(decidedScript().core.claims(decision())).toBeNull();
  });
});

describe('who is late', () => {
  it('gets the decision, once per quarter of the base timeout', () => {
    const it = decidedScript();
    pass(it, 500);
    tell(it, D, vote('prepare', block));
    tell(it, D, vote('commit', block));
    tell(it, C, vote('prepare', block));
    expect(said(it)).toEqual(['decision X in 0 to D', 'decision X in 0 to C']);
    pass(it, 250);
    tell(it, D, vote('prepare', block));
    expect(said(it)).toEqual(['decision X in 0 to D']);
  });

  it('a vote that was on its way when the block was decided asks nothing; a round change does', () => {
    const it = decidedScript();
    tell(it, C, vote('commit', block));
    tell(it, C, proposal(block));
    expect(said(it)).toEqual([]);
    tell(it, C, change(1));
    expect(said(it)).toEqual(['decision X in 0 to C']);
  });

  it('by more than a height is told where this node is', () => {
    const it = decidedScript();
    apply(it, next);
    tell(it, D, change(3));
    expect(said(it)).toEqual(['status 2 to D']);
  });

  it('strangers share one answer', () => {
    const it = decidedScript();
    for (const stranger of [7, 8, 9]) tell(it, keyOf(stranger), { type: 'status-request', height: 0, nonce: 5 });
    expect(said(it)).toHaveLength(1);
  });

  it('is answered while the decided block is still on its way here', () => {
    const it = script();
    it.names.set(block.id, 'X');
    for (const key of [A, C, D]) tell(it, key, vote('commit', block));
    tell(it, C, change(1));
    expect(said(it)).toEqual(['fetch X from ACD', 'decision X in 0 to C']);
  });
});

describe('when others are ahead', () => {
  it('one alone is not believed; f + 1 are, two heights ahead at once', () => {
    const it = script();
    tell(it, D, status(900));
    expect(said(it)).toEqual([]);
    tell(it, C, status(40));
    expect(said(it)).toEqual(['sync to 40 from CD']);
    tell(it, A, status(41));
    expect(said(it)).toEqual([]);
    pass(it, 1000, 'sync');
    expect(said(it)).toEqual(['sync to 41 from AD']);
  });

  it('one height ahead gets a quarter of the base timeout to come by itself', () => {
    const it = script();
    for (const key of [C, D]) tell(it, key, vote('prepare', next));
    expect(said(it)).toEqual([]);
    pass(it, 250, 'sync');
    expect(said(it)).toEqual(['sync to 1 from CD']);
    apply(it, block);
    pass(it, 1000);
    expect(said(it)).toEqual([]);
  });

  it('who is still behind after block sync asks again as soon as one who was not', () => {
    const it = script();
    for (const key of [C, D]) tell(it, key, status(2));
    expect(said(it)).toEqual(['sync to 2 from CD']);
    for (const key of [C, D]) tell(it, key, status(3));
    apply(it, next);
    expect(said(it)).toEqual([]);
    pass(it, 250, 'sync');
    expect(said(it)).toEqual(['sync to 3 from CD']);
    for (const key of [C, D]) tell(it, key, status(6));
    apply(it, blockBy(C, 0, next));
    expect(said(it)).toEqual(['sync to 6 from CD']);
  });

  it('block sync closes the height, whatever was going on', () => {
    const it = script();
    hold(it, block, 'X');
    tell(it, A, proposal(block));
    judge(it, block);
    apply(it, blockBy(C, 0, next));
    pass(it, 11_000, 'view');
    expect(said(it)).toEqual(['validate X', 'prepare X in 0', 'round-change to 1']);
    expect(it.core.status().height).toBe(4);
  });

  it('what is too far ahead to be counted is not worth verifying, unless it is a decision', () => {
    const it = script();
    const prepared = { view: 0, block: block.id, signatures: signatures('prepare', block, 0, [A, C, D]) };
    const changed = (height: number): Message => ({ type: 'round-change', height, view: 1, prepared });
    expect(it.core.claims(changed(1))).toHaveLength(3);
    expect(it.core.claims(changed(2))).toHaveLength(3);
    expect(it.core.claims(changed(3))).toBeNull();
    expect(it.core.claims(vote('prepare', blockBy(A, 0, next)))).toEqual([]);
    expect(it.core.claims({ ...decision(), height: 9 } as Message)).toHaveLength(3);
    // Late here, and not for the node that it is passed on to.
    expect(decidedScript().core.claims(changed(1))).toHaveLength(3);
  });

  it('keeps nothing from two heights above, and at most one of each kind from each validator', () => {
    const it = script();
    const before = it.core.status().held;
    for (let height = 2; height < 200; height++) {
      for (const key of [A, C, D]) {
        tell(it, key, { type: 'prepare', height, view: height, block: block.id });
        tell(it, key, { type: 'prepare', height: 2, view: height, block: block.id });
      }
    }
    expect(it.core.status().held - before).toBeLessThan(6);
  });
});

describe('a validator without its vote record', () => {
  const asked = (it: ReturnType<typeof script>): number => {
    const request = it.seen.find(each => each.type === 'send' && each.message.type === 'status-request');
    return request?.type === 'send' && request.message.type === 'status-request' ? request.message.nonce : -1;
  };
  const forgetful = (self: NodeId = B, head = block) => {
    const it = script({ self, head, recorded: false });
    const nonce = asked(it);
    look(it);
    return { it, nonce };
  };

  it('promises nothing, and asks until enough have answered', () => {
    const { it } = forgetful();
    expect(it.core.status()).toMatchObject({ voting: false, phase: 'recovering' });
    hold(it, next, 'Y');
    tell(it, B, proposal(next));
    judge(it, next);
    pass(it, 250, 'status');
    expect(look(it)).toEqual(['validate Y', 'ask at 1']);
  });

  it('past genesis: needs a quorum without itself, and leaves two heights above the highest report to the others', () => {
    const { it, nonce } = forgetful();
    for (const key of [A, C]) tell(it, key, status(7, nonce));
    expect(look(it).filter(line => line.startsWith('persist'))).toEqual([]);
    tell(it, D, status(8, nonce));
    expect(look(it)).toContain('persist');
    let parent = block;
    for (let height = 2; height <= 11; height++) {
      expect(it.core.status().voting, `at height ${height}`).toBe(height >= 11);
      parent = blockBy(A, height, parent);
      if (height < 11) apply(it, parent);
    }
  });

  it('its next start remembers that it once forgot', () => {
    const { it, nonce } = forgetful();
    for (const key of [A, C, D]) tell(it, key, status(7, nonce));
    const again = script({ self: B, head: block, disk: it.disk });
    expect(again.core.status()).toMatchObject({ voting: false, phase: 'waiting' });
    const later = script({ self: B, head: blockBy(A, 0, next), disk: it.disk });
    expect(later.core.status()).toMatchObject({ height: 4, voting: false });
  });

  it('old answers, and those of validators who forgot too, count for nothing', () => {
    const { it, nonce } = forgetful();
    for (const key of [A, C]) tell(it, key, status(7, nonce));
    tell(it, D, status(7, nonce - 1));
    tell(it, D, status(7, nonce, false));
    expect(look(it).filter(line => line.startsWith('persist'))).toEqual([]);
  });

  it('at genesis: four new validators start as soon as all have answered', () => {
    const it = script({ recorded: false });
    const nonce = asked(it);
    for (const key of [A, C]) tell(it, key, status(0, nonce, false));
    expect(it.core.status().voting).toBe(false);
    tell(it, D, status(0, nonce, false));
    expect(it.core.status().voting).toBe(true);
  });

  it('at genesis with one of four absent: a quorum with itself starts after the base timeout', () => {
    const it = script({ recorded: false });
    const nonce = asked(it);
    tell(it, A, status(0, nonce, false));
    pass(it, 1000, 'patience');
    expect(it.core.status().voting).toBe(false);
    tell(it, C, status(0, nonce, false));
    expect(it.core.status().voting).toBe(true);
  });

  it('not at genesis if anyone knows better', () => {
    const it = script({ recorded: false });
    const nonce = asked(it);
    for (const key of [A, C]) tell(it, key, status(0, nonce, false));
    tell(it, D, status(5, nonce));
    pass(it, 1000, 'patience');
    expect(it.core.status().voting).toBe(false);
  });

  it("starts at once with the operator's consent, and writes that down", () => {
    const it = script({ head: block, votesLost: true });
    expect(look(it)).toEqual(['persist', 'ask at 1']);
    expect(it.core.status().voting).toBe(true);
  });

  it('asks back who has just come up', () => {
    const { it } = forgetful();
    tell(it, D, { type: 'status-request', height: 3, nonce: 77 });
    expect(look(it)).toEqual(['status 1 without record to D', 'ask at 1 to D']);
  });

  it('a new validator that has observed the network for long votes from its first height on', () => {
    const others = [A, C, D].map(key => ({ key, power: 1 }));
    const it = script({ head: block, recorded: false, validators: others });
    const nonce = asked(it);
    for (const key of [A, C, D]) tell(it, key, status(1, nonce));
    let parent = block;
    for (let height = 2; height < 6; height++) {
      parent = blockBy(A, height, parent);
      apply(
        it,
        parent,
        height < 5 ? others : [...others, { key: B, power: 1 }].sort((a, b) => (a.key < b.key ? -1 : 1)),
      );
    }
    expect(it.core.status()).toMatchObject({ height: 6, voting: true });
    feed(it, { type: 'work', since: null });
  });
});
