import { describe, expect, it } from 'vitest';
import { pbft } from '../../../consensus/pbft/core.ts';
import { CHAIN_ID } from '../../simulation/chain.ts';
import { keyOf } from '../../simulation/keys.ts';
import { PARAMS } from '../../simulation/world.ts';
import {
  A,
  apply,
  B,
  blockBy,
  C,
  D,
  feed,
  genesis,
  hold,
  judge,
  look,
  pass,
  proposal,
  said,
  script,
  tell,
  vote,
} from './script.ts';

const block = blockBy(A);

/** B has accepted A's proposal of `block` and prepared it. */
function preparedScript() {
  const it = script();
  hold(it, block, 'X');
  tell(it, A, proposal(block));
  judge(it, block);
  look(it);
  return it;
}

describe('PBFT 4.2, the normal case', () => {
  it('a backup takes one block through the three phases with two syncs', () => {
    const it = script();
    hold(it, block, 'X');
    tell(it, A, proposal(block));
    expect(said(it)).toEqual(['validate X']);
    judge(it, block);
    expect(look(it)).toEqual(['persist X', 'prepare X in 0']);
    tell(it, A, vote('prepare', block));
    expect(look(it)).toEqual([]);
    tell(it, C, vote('prepare', block));
    expect(look(it)).toEqual(['persist', 'commit X in 0']);
    tell(it, A, vote('commit', block));
    tell(it, C, vote('commit', block));
    expect(look(it)).toEqual(['adopt X at 1 by 0,1,2']);
    apply(it, block);
    expect(look(it)).toEqual([]);
    expect(it.core.status()).toMatchObject({ height: 2, view: 0, phase: 'waiting', leader: B });
  });

  it('a leader builds as soon as work waits, publishes the block and proposes it, with two syncs', () => {
    const it = script({ self: A });
    look(it);
    feed(it, { type: 'work', since: it.now });
    expect(look(it)).toEqual([]);
    pass(it, 20, 'propose');
    expect(look(it)).toEqual(['build 1/0']);
    it.headers.set(block.id, block.header);
    it.names.set(block.id, 'X');
    feed(it, { type: 'built', job: '1/0', block });
    expect(look(it)).toEqual(['persist X', 'publish X', 'proposal X in 0', 'prepare X in 0']);
    tell(it, B, vote('prepare', block));
    tell(it, C, vote('prepare', block));
    expect(look(it)).toEqual(['persist', 'commit X in 0']);
  });

  it('a single validator decides by itself', () => {
    const validators = [{ key: A, power: 3 }];
    const it = script({ self: A, validators, recorded: false });
    look(it);
    pass(it, 5000);
    feed(it, { type: 'work', since: it.now });
    it.headers.set(block.id, block.header);
    it.names.set(block.id, 'X');
    feed(it, { type: 'built', job: '1/0', block });
    expect(said(it)).toEqual([
      'build 1/0',
      'publish X',
      'proposal X in 0',
      'prepare X in 0',
      'commit X in 0',
      'adopt X at 1 by 0',
    ]);
  });

  it('an observer says nothing and follows the commits of others', () => {
    const it = script({ self: null });
    hold(it, block, 'X');
    tell(it, A, proposal(block));
    judge(it, block);
    for (const key of [A, B, C]) tell(it, key, vote('prepare', block));
    for (const key of [A, B, C]) tell(it, key, vote('commit', block));
    expect(look(it)).toEqual(['validate X', 'adopt X at 1 by 0,1,2']);
  });

  it('facts may come in any order: votes, then proposal, then block', () => {
    const it = script();
    it.names.set(block.id, 'X');
    for (const key of [A, C]) tell(it, key, vote('prepare', block));
    tell(it, A, proposal(block));
    expect(said(it)).toEqual(['fetch X from AC']);
    hold(it, block);
    judge(it, block);
    expect(said(it)).toEqual(['validate X', 'prepare X in 0', 'commit X in 0']);
  });
});

describe('PBFT 4.2, what is refused', () => {
  it('no prepare for a proposal by anyone but the leader', () => {
    const it = script();
    hold(it, blockBy(C));
    tell(it, C, proposal(blockBy(C)));
    expect(said(it)).toEqual([]);
  });

  it('a fresh block must be built by the leader of its view, stand on the head, at its height, with an empty seal', () => {
    const seal = {
      ...block,
      id: keyOf(5).slice(2) as typeof block.id,
      header: { ...block.header, seal: Uint8Array.of(1) },
    };
    const orphan = blockBy(A, 0, { ...genesis, id: blockBy(D).id });
    const high = { ...block, header: { ...block.header, height: 2 } };
    for (const bad of [blockBy(C), seal, orphan]) {
      const it = script();
      hold(it, bad, 'bad');
      tell(it, A, proposal(bad));
      expect(said(it)).toEqual(['round-change to 1']);
    }
    const it = script();
    hold(it, high, 'bad');
    tell(it, A, proposal(block));
    expect(said(it)).toEqual(['round-change to 1']);
  });

  it('an invalid block gets no vote and ends the view at once', () => {
    const it = script();
    hold(it, block, 'X');
    tell(it, A, proposal(block));
    judge(it, block, false);
    expect(said(it)).toEqual(['validate X', 'round-change to 1']);
  });

  it("a second proposal for one view changes nothing but the proposer's reputation", () => {
    const it = preparedScript();
    hold(it, blockBy(A, 1), 'Y');
    tell(it, A, proposal(blockBy(A, 1)));
    judge(it, blockBy(A, 1));
    expect(said(it)).toEqual(['report A proposal in view 0']);
  });

  it('a commit needs a quorum of prepares: two of four are too few, also when one comes twice', () => {
    const it = preparedScript();
    tell(it, A, vote('prepare', block));
    tell(it, A, vote('prepare', block));
    expect(said(it)).toEqual([]);
  });

  it('prepares for another block, or from no validator, do not count', () => {
    const it = preparedScript();
    tell(it, A, vote('prepare', block));
    tell(it, C, vote('prepare', blockBy(A, 1)));
    tell(it, keyOf(9), vote('prepare', block));
    expect(said(it)).toEqual([]);
  });

  it('a commit needs its own prepare first: a quorum of others is not enough', () => {
    const it = script();
    hold(it, block, 'X');
    for (const key of [A, C, D]) tell(it, key, vote('prepare', block));
    tell(it, A, proposal(block));
    expect(said(it)).toEqual(['validate X']);
  });

  it('a decision needs a quorum of commits of one view: two of view 0 and one of view 1 are none', () => {
    const it = preparedScript();
    tell(it, A, vote('commit', block));
    tell(it, C, vote('commit', block));
    tell(it, D, vote('commit', block, 1));
    expect(said(it)).toEqual([]);
    tell(it, C, vote('prepare', block));
    tell(it, A, vote('prepare', block));
    expect(said(it)).toEqual(['commit X in 0', 'adopt X at 1 by 0,1,2']);
  });

  it('power counts, not heads: three light validators of four do not outvote the heavy one', () => {
    const validators = [A, B, C, D].map((key, i) => ({ key, power: i === 3 ? 6 : 1 }));
    const it = script({ validators });
    hold(it, block, 'X');
    tell(it, A, proposal(block));
    judge(it, block, true, validators);
    for (const key of [A, C]) tell(it, key, vote('prepare', block));
    expect(said(it)).toEqual(['validate X', 'prepare X in 0']);
    tell(it, D, vote('prepare', block));
    expect(said(it)).toEqual(['commit X in 0']);
  });
});

describe('a decided block', () => {
  it('is fetched from those who voted for it where it is not here, and adopted once', () => {
    const it = script();
    it.names.set(block.id, 'X');
    for (const key of [A, C, D]) tell(it, key, vote('commit', block));
    expect(said(it)).toEqual(['fetch X from ACD']);
    hold(it, block);
    expect(said(it)).toEqual(['validate X']);
    judge(it, block);
    expect(said(it)).toEqual(['adopt X at 1 by 0,2,3']);
    hold(it, block);
    tell(it, A, vote('commit', block));
    expect(said(it)).toEqual([]);
  });

  it('that is invalid here stops the node: somebody executes otherwise', () => {
    const it = script();
    hold(it, block, 'X');
    for (const key of [A, C, D]) tell(it, key, vote('commit', block));
    expect(() => judge(it, block, false)).toThrow('invalid here at height 1');
  });

  it('that does not extend this ledger stops the node', () => {
    const orphan = blockBy(A, 0, { ...genesis, id: block.id });
    const it = script();
    hold(it, orphan);
    for (const key of [A, C]) tell(it, key, vote('commit', orphan));
    expect(() => tell(it, D, vote('commit', orphan))).toThrow('does not extend');
  });

  it('other than the one that the ledger took stops the node', () => {
    const it = preparedScript();
    for (const key of [A, C, D]) tell(it, key, vote('commit', block));
    expect(() => apply(it, blockBy(A, 1))).toThrow('another block');
  });
});

describe('equivocation', () => {
  it.each(['prepare', 'commit'] as const)(
    'two %ss of one validator for one view: reported once, the first counts',
    type => {
      const it = preparedScript();
      const other = blockBy(A, 1);
      tell(it, C, vote(type, block));
      tell(it, C, vote(type, other));
      tell(it, C, vote(type, other));
      tell(it, C, vote(type, blockBy(A, 2)));
      expect(said(it)).toEqual([`report C ${type} in view 0`]);
      expect(it.core.status().equivocations).toBe(1);
      tell(it, C, vote(type, other, 1));
      expect(said(it)).toEqual([]);
      // Nor does it fill the host's memory and log from view to view.
      for (let view = 2; view < 50; view++) for (const each of [block, other]) tell(it, C, vote(type, each, view));
      expect(said(it)).toEqual([]);
      expect(it.core.status().equivocations).toBe(1);
    },
  );
});

describe('time', () => {
  it('a fresh block from beyond the drift gets no vote yet, and one as soon as it is not', () => {
    const future = blockBy(A, 0, genesis, genesis.header.time + 1000 + 700);
    const it = script();
    hold(it, future, 'X');
    tell(it, A, proposal(future));
    expect(said(it)).toEqual([]);
    pass(it, 199, 'drift');
    expect(said(it)).toEqual([]);
    pass(it, 1, 'drift');
    judge(it, future);
    expect(said(it)).toEqual(['validate X', 'prepare X in 0']);
  });

  it('a block from further off than any view lasts sets no timer', () => {
    const future = blockBy(A, 0, genesis, genesis.header.time + 2 ** 40);
    const it = script();
    hold(it, future, 'X');
    tell(it, A, proposal(future));
    expect(look(it, true).filter(line => line.startsWith('timer drift'))).toEqual([]);
    expect(it.core.status().phase).toBe('pre-prepared');
  });

  it("a header from the past is as good as any: whether time went on is the ledger's to judge", () => {
    const it = script({ now: 9_000_000 });
    hold(it, block, 'X');
    tell(it, A, proposal(block));
    judge(it, block);
    expect(said(it)).toEqual(['validate X', 'prepare X in 0']);
  });
});

describe('before the start', () => {
  it('messages are useless and the status says so', () => {
    const core = pbft.create({ self: B, chainId: CHAIN_ID, params: PARAMS, seed: 1n });
    expect(core.claims(proposal(block))).toBeNull();
    expect(core.status()).toMatchObject({ phase: 'starting', voting: false });
  });
});

describe('the next height', () => {
  it('its votes wait until this one is applied, one of each kind from each validator', () => {
    const it = preparedScript();
    const next = blockBy(B, 0, block);
    for (const key of [A, C, D]) tell(it, key, vote('commit', next));
    hold(it, next, 'Y');
    apply(it, block);
    expect(said(it)).toEqual(['validate Y']);
    judge(it, next);
    expect(said(it)).toEqual(['adopt Y at 2 by 0,2,3']);
  });

  it('its votes are not displaced by those for heights further up', () => {
    const it = preparedScript();
    const next = blockBy(B, 0, block);
    for (const key of [A, C, D]) {
      tell(it, key, vote('commit', next));
      tell(it, key, { type: 'commit', height: 9, view: 0, block: next.id });
    }
    apply(it, block);
    expect(said(it)).toContain(`fetch ${next.id.slice(0, 6)} from ACD`);
  });

  it("strangers' votes are not even kept", () => {
    const it = preparedScript();
    const { held } = it.core.status();
    for (let i = 10; i < 50; i++) {
      tell(it, keyOf(i), vote('commit', block));
      tell(it, keyOf(i), vote('commit', blockBy(B, 0, block)));
    }
    expect(it.core.status().held).toBe(held);
  });

  it('a validator who left the set observes, one who joined votes', () => {
    const it = script({ validators: [A, C, D].map(key => ({ key, power: 1 })) });
    expect(it.core.status().voting).toBe(false);
    apply(it, block);
    expect(it.core.status()).toMatchObject({ voting: true, leader: B });
    apply(
      it,
      blockBy(B, 0, block),
      [A, C, D].map(key => ({ key, power: 1 })),
    );
    // B built the block before: the next after where B would stand.
    expect(it.core.status()).toMatchObject({ voting: false, leader: C });
  });
});
