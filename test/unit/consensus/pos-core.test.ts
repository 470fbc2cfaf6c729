import { describe, expect, it } from 'vitest';
import { pbft } from '../../../consensus/pbft/core.ts';
import { pos } from '../../../consensus/pos/core.ts';
import { leaderOf } from '../../../consensus/pos/leader.ts';
import { BYZANTINE_COMMIT } from '../../../ledger/types/certificate.ts';
import type { NodeId } from '../../../ledger/types/ids.ts';
import { CHAIN_ID } from '../../simulation/chain.ts';
import {
  A,
  apply,
  B,
  blockBy,
  C,
  change,
  D,
  FOUR,
  feed,
  genesis,
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

/** The draw for four equal validators: C leads (1, 0), A (1, 1), B (1, 2), D (1, 3), and A leads (2, 0). */
const [LEADER, NEXT] = [C, A];
const block = blockBy(LEADER);
const start = (self: NodeId = B) => {
  const it = script({ engine: pos, self });
  look(it);
  return it;
};

describe('proof of stake', () => {
  it('draws the leaders that this table is about', () => {
    expect([0, 1, 2, 3].map(view => leaderOf(FOUR, 1, view))).toEqual([C, A, B, D]);
    expect(leaderOf(FOUR, 2, 0)).toBe(A);
    expect(start().core.status().leader).toBe(LEADER);
  });

  it('draws by height alone: who proposed the parent, when, and what was in it change nothing', () => {
    const heads = [A, B, C, D].map((proposer, i) => blockBy(proposer, i, genesis, genesis.header.time + 1 + i));
    for (const head of heads) expect(script({ engine: pos, head }).core.status().leader).toBe(A);
  });

  it('takes the proposal of the drawn leader, and of nobody else, through the three phases', () => {
    const it = start();
    hold(it, block, 'X');
    for (const other of [A, D]) tell(it, other, proposal(blockBy(other)));
    expect(said(it)).toEqual([]);
    tell(it, LEADER, proposal(block));
    expect(said(it)).toEqual(['validate X']);
    judge(it, block);
    expect(look(it)).toEqual(['persist X', 'prepare X in 0']);
    for (const each of [C, A]) tell(it, each, vote('prepare', block));
    expect(look(it)).toEqual(['persist', 'commit X in 0']);
    for (const each of [C, A]) tell(it, each, vote('commit', block));
    expect(look(it)).toEqual(['adopt X at 1 by 0,1,2']);
    apply(it, block);
    expect(it.core.status()).toMatchObject({ height: 2, leader: A });
  });

  it('has the drawn leader build', () => {
    const it = start(LEADER);
    feed(it, { type: 'work', since: it.now });
    pass(it, 20, 'propose');
    expect(look(it)).toEqual(['build 1/0']);
    const other = start(B);
    feed(other, { type: 'work', since: other.now });
    pass(other, 20, 'propose');
    expect(look(other)).toEqual([]);
  });

  it('counts by power and not by heads', () => {
    const validators = FOUR.map(each => ({ ...each, power: each.key === D ? 6 : 1 }));
    const leader = leaderOf(validators, 1, 0);
    const heavy = blockBy(leader);
    const it = script({ engine: pos, validators });
    hold(it, heavy, 'X');
    tell(it, leader, proposal(heavy));
    judge(it, heavy);
    look(it);
    // 3 of 9: heads enough for a quorum of four, and not a third of the power.
    for (const each of [A, C]) tell(it, each, vote('prepare', heavy));
    expect(look(it)).toEqual([]);
    // 9 of 9; 7 are needed.
    tell(it, D, vote('prepare', heavy));
    expect(look(it)).toEqual(['persist', 'commit X in 0']);
  });

  it('hands a prepared block to the leader drawn for the next view, who proposes it again', () => {
    const it = start(NEXT);
    hold(it, block, 'X');
    const prepared = preparedBy(block, 0, [B, C, D]);
    for (const each of [B, C]) tell(it, each, change(1, prepared));
    tell(it, D, change(1));
    const spoken = said(it);
    expect(spoken[0]).toBe('round-change to 1');
    expect(spoken).toContain('proposal X in 1');
  });

  it('follows a justified proposal of the next leader, and not of the one that turns would name', () => {
    const it = start(D);
    hold(it, block, 'X');
    const changes = new Map([A, B, C].map(each => [each, { view: 0, block }] as const));
    const justification = justify(1, changes, signatures('prepare', block, 0, [A, B, C]));
    tell(it, B, proposal(block, 1, justification));
    expect(it.core.status().view).toBe(0);
    tell(it, NEXT, proposal(block, 1, justification));
    expect(it.core.status()).toMatchObject({ view: 1, leader: NEXT });
    judge(it, block);
    expect(said(it)).toEqual(['validate X', 'prepare X in 1']);
  });

  it('differs from pbft in its name and its leaders alone', () => {
    const { certificate, messageBytesMax } = pbft.spec;
    expect(pos.spec).toEqual({ name: 'pos', certificate, messageBytesMax });
    expect(pos.spec.certificate).toBe(BYZANTINE_COMMIT);
    expect(pos.codec).toBe(pbft.codec);
    for (const message of [proposal(block), vote('prepare', block), vote('commit', block), change(1)])
      expect(pos.signed(CHAIN_ID, message)).toEqual(pbft.signed(CHAIN_ID, message));
  });
});
