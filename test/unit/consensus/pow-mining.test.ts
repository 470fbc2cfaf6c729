import { describe, expect, it } from 'vitest';
import type { Header } from '../../../ledger/types/header.ts';
import { targetOf } from '../../../ledger/types/work/hardness.ts';
import { sealAbove, sealOf } from '../../../ledger/types/work/seal.ts';
import {
  A,
  accept,
  B,
  chainOn,
  feed,
  genesis,
  hold,
  idOf,
  judge,
  look,
  type Mined,
  on,
  POW_PARAMS,
  pass,
  type Script,
  script,
  T0,
  tell,
  tipOf,
  withSeal,
} from './pow-script.ts';

/** B, which has listened long enough and has nothing to do: the head is young. */
function listening(head: Mined = on(genesis, { afterMs: 59_000, empty: true })): Script {
  const it = script({ head, now: T0 });
  pass(it, 1000);
  look(it);
  return it;
}

/** What was done, without announcements. */
const said = (it: Script): string[] => look(it).filter(line => !line.startsWith('tip'));

/** The block that answers the build asked for last, as a host would find it. */
function built(it: Script, n = 0): Mined {
  const effect = it.seen.findLast(each => each.type === 'build');
  if (effect?.type !== 'build') throw new Error('nothing is being built');
  const parent = { id: effect.parent, header: it.headers.get(effect.parent)! };
  const block = withSeal(parent, effect.seal, it.now, { proposer: B, n });
  it.headers.set(block.id, block.header);
  it.names.set(block.id, 'M');
  feed(it, { type: 'built', job: effect.job, block });
  return block;
}

describe('Nakamoto 5, when a validator looks for a block', () => {
  it('when something waits: half an interval after the head at the earliest, with the target that is due', () => {
    const head = on(genesis, { afterMs: 60_800, empty: true });
    const it = listening(head);
    feed(it, { type: 'work', since: it.now });
    expect(look(it, true)).toEqual(['timer mine 300']);
    pass(it, 300, 'mine');
    const build = it.seen.find(each => each.type === 'build');
    expect(build).toMatchObject({
      parent: head.id,
      work: { target: targetOf(sealAbove(head.id, head.header, POW_PARAMS).hardness) },
    });
    expect(look(it)).toEqual(['build 2/0 on head']);
  });

  it('not while nothing waits, until the heartbeat', () => {
    const it = listening();
    pass(it, 1, 'mine');
    expect(look(it, true)).toEqual(['timer mine 7999']);
    pass(it, 7999, 'mine');
    expect(look(it)).toContain('build 2/0 on head');
  });

  it('as long as transactions lie above the final block', () => {
    const it = listening();
    const head = { id: it.headers.keys().next().value!, header: it.headers.values().next().value! };
    const [full, ...empty] = [on(head, { afterMs: 1500 }), ...chainOn(on(head, { afterMs: 1500 }), 6, { empty: true })];
    accept(it, [full!, ...empty.slice(0, 5)]);
    expect(it.core.status().phase).toBe('settling');
    pass(it, 500, 'mine');
    expect(look(it).at(-1)).toBe('build 8/0 on X6');
    accept(it, empty.slice(5), 'Y');
    expect(said(it)).toEqual(['validate Y1', 'persist final Y1', 'adopt Y1, final 2', 'cancel 8/0']);
    expect(it.core.status().phase).toBe('waiting');
  });

  it('not in its first interval: it might be late', () => {
    const it = script();
    feed(it, { type: 'work', since: T0 });
    pass(it, 999, 'mine');
    expect(look(it)).toEqual(['tip head']);
    pass(it, 1, 'mine');
    expect(look(it)).toEqual(['build 1/0 on head']);
  });

  it('not while it fetches what is better than its head', () => {
    const it = listening();
    feed(it, { type: 'work', since: it.now });
    expect(look(it)).toEqual(['build 2/0 on head']);
    const head = { id: it.headers.keys().next().value!, header: it.headers.values().next().value! };
    tell(it, A, tipOf(on(head, { afterMs: 500 })));
    expect(look(it).filter(line => !line.startsWith('fetch'))).toEqual(['cancel 2/0']);
    hold(it, on(head, { afterMs: 500 }), 'X');
    judge(it, on(head, { afterMs: 500 }));
    pass(it, 500, 'mine');
    expect(said(it).at(-1)).toBe('build 3/1 on X');
  });
});

describe('a search', () => {
  it('that finds: the block is published, executed, adopted and told at once', () => {
    const it = listening();
    feed(it, { type: 'work', since: it.now });
    pass(it, 400);
    const block = built(it);
    expect(look(it)).toEqual(['build 2/0 on head', 'publish M', 'validate M']);
    judge(it, block);
    expect(look(it)).toEqual(['persist M', 'adopt M, final 1', 'tip M']);
    // And on with the next, at its time.
    pass(it, 500, 'mine');
    expect(look(it)).toEqual(['build 3/1 on M']);
  });

  it('starts anew after an interval, with what came in and the time of day', () => {
    const it = listening();
    feed(it, { type: 'work', since: it.now });
    look(it);
    pass(it, 999, 'refresh');
    expect(look(it)).toEqual([]);
    pass(it, 1, 'refresh');
    expect(look(it)).toEqual(['cancel 2/0', 'build 2/1 on head']);
  });

  it('ends when nothing waits any more, or a better head comes', () => {
    const it = listening();
    feed(it, { type: 'work', since: it.now });
    feed(it, { type: 'work', since: null });
    expect(look(it)).toEqual(['build 2/0 on head', 'cancel 2/0']);
    feed(it, { type: 'work', since: it.now });
    const head = { id: it.headers.keys().next().value!, header: it.headers.values().next().value! };
    accept(it, [on(head, { afterMs: 2000 })]);
    expect(said(it)).toEqual(['build 2/1 on head', 'validate X1', 'persist X1', 'adopt X1, final 1', 'cancel 2/1']);
  });

  it('whose answer comes late is forgotten', () => {
    const it = listening();
    feed(it, { type: 'work', since: it.now });
    feed(it, { type: 'built', job: '2/7', block: null });
    expect(look(it)).toEqual(['build 2/0 on head']);
  });

  it('for which the host has nothing to build is asked for again after a quarter of an interval', () => {
    const it = listening();
    feed(it, { type: 'work', since: it.now });
    feed(it, { type: 'built', job: '2/0', block: null });
    expect(look(it, true).filter(line => line.includes('mine'))).toEqual(['timer mine off', 'timer mine 250']);
    pass(it, 250, 'mine');
    expect(look(it)).toEqual(['build 2/1 on head']);
  });

  it('of a host that finds what breaks the rules stops the node', () => {
    const it = listening();
    feed(it, { type: 'work', since: it.now });
    const block = { ...on(genesis), header: { ...on(genesis).header, proposer: B } };
    expect(() => feed(it, { type: 'built', job: '2/0', block })).toThrow('breaks the rules');
  });
});

describe('a restart', () => {
  it('takes up the blocks above the final one, and does not mine before it has', () => {
    const it = script();
    const blocks = chainOn(genesis, 9);
    accept(it, blocks);
    const before = look(it).filter(line => line.startsWith('adopt'));
    expect(before.at(-1)).toBe('adopt X9, final 3');
    const again = script({ disk: it.disk, head: blocks[2]!, now: it.now });
    for (const [id, name] of it.names) if (!again.names.has(id)) again.names.set(id, name);
    feed(again, { type: 'work', since: again.now });
    pass(again, 1000, 'mine');
    for (const block of blocks.slice(3)) judge(again, block);
    const lines = look(again);
    expect(lines.filter(line => line.startsWith('adopt')).at(-1)).toBe('adopt X9, final 3');
    // They are durable already.
    expect(lines.filter(line => line.startsWith('persist'))).toEqual([]);
    expect(lines.at(-1)).toBe('build 10/0 on X9');
  });

  it('with a ledger that fell back does not leave what was final', () => {
    const it = script({ self: null });
    const blocks = chainOn(genesis, 9, { afterMs: 2000 });
    accept(it, blocks);
    // The ledger lost the last blocks that became final, and this node's own copies of all.
    const disk = { records: it.disk.records, blocks: new Map<never, Header>() };
    const again = script({ self: null, disk, now: it.now });
    const other = chainOn(genesis, 12, { n: 5, afterMs: 1000 });
    accept(again, other, 'O');
    const adopted = look(again).filter(line => line.startsWith('adopt'));
    // Up to the height that was final another branch looks as good; there it ends.
    expect(adopted.at(-1)).toBe('adopt O2, final 0');
    accept(again, blocks);
    expect(look(again).at(-1)).toBe('adopt X9, final 3');
  });

  it('gives the same state for the same history, in whichever order its maps were filled', () => {
    const run = (order: readonly number[]) => {
      const it = script({ self: null });
      const blocks = [on(genesis, { n: 1 }), on(genesis, { n: 2 }), on(genesis, { n: 3 })];
      it.now = T0 + 5000;
      for (const i of order) hold(it, blocks[i]!);
      for (const i of [0, 1, 2]) judge(it, blocks[i]!);
      return Buffer.from(it.core.digest()).toString('hex');
    };
    // The best first: else others would have been executed before it.
    const best = [0, 1, 2].sort((a, b) =>
      idOf(on(genesis, { n: a + 1 }).header) < idOf(on(genesis, { n: b + 1 }).header) ? -1 : 1,
    );
    expect(run([best[0]!, best[1]!, best[2]!])).toBe(run([best[0]!, best[2]!, best[1]!]));
    expect(run(best)).not.toBe(run([best[2]!, best[1]!, best[0]!]));
  });

  it('a ledger that was moved from elsewhere is followed', () => {
    const it = script({ self: null });
    accept(it, chainOn(genesis, 2));
    look(it);
    const far = chainOn(genesis, 40, { n: 6 });
    const head = far.at(-2)!;
    feed(it, { type: 'applied', head: head.id, header: head.header, config: { validators: [{ key: A, power: 1 }] } });
    it.now += 60_000;
    hold(it, far.at(-1)!, 'X');
    judge(it, far.at(-1)!);
    expect(look(it)).toEqual(['validate X', 'persist X', 'adopt X, final 39']);
    expect(sealOf(far.at(-1)!.header)).not.toBeNull();
  });
});
