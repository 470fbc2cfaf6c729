import { describe, expect, it } from 'vitest';
import { finalityDepthOf } from '../../../consensus/own-params.ts';
import { pow } from '../../../consensus/pow/core.ts';
import { STRIDE } from '../../../ledger/types/work/seal.ts';
import {
  A,
  accept,
  B,
  C,
  chainOn,
  D,
  feed,
  genesis,
  hold,
  judge,
  keyless,
  look,
  on,
  pass,
  script,
  T0,
  tell,
  tipOf,
} from './pow-script.ts';

describe('Nakamoto 5, the branch that is followed', () => {
  it('a block on the head is executed, kept, adopted and told', () => {
    const it = script();
    expect(look(it)).toEqual(['tip head']);
    hold(it, on(genesis), 'X');
    expect(look(it)).toEqual(['validate X']);
    judge(it, on(genesis));
    expect(look(it)).toEqual(['persist X', 'adopt X, final 0']);
    // The head is news, but not of this node's making: it is told an interval after the last word.
    pass(it, 1000, 'announce');
    expect(look(it)).toContain('tip X');
  });

  it('more work wins over more blocks', () => {
    const it = script({ self: null });
    // Slow blocks make the next ones easier: five of them hold less work than four quick ones.
    const long = chainOn(genesis, 5, { afterMs: 4000, n: 1, empty: true });
    const heavy = chainOn(genesis, 4, { afterMs: 500, n: 2, empty: true });
    accept(it, long, 'L');
    look(it);
    for (const [i, block] of heavy.entries()) hold(it, block, `H${i + 1}`);
    for (const block of heavy) judge(it, block);
    expect(look(it)).toEqual([
      'validate H1',
      'validate H2',
      'validate H3',
      'validate H4',
      'persist H1 H2 H3 H4',
      'adopt H4, final 0',
    ]);
    expect(it.core.status()).toMatchObject({ height: 5, viewChanges: 1 });
  });

  it('of two equal branches the lower id is followed by everyone, in whichever order they came', () => {
    const [x, y] = [on(genesis, { n: 1 }), on(genesis, { n: 2 })];
    const [low, high] = x.id < y.id ? [x, y] : [y, x];
    const first = script({ self: null });
    accept(first, [high, low]);
    expect(look(first).at(-1)).toBe('adopt X2, final 0');
    const second = script({ self: null });
    accept(second, [low, high]);
    expect(look(second)).toEqual(['validate X1', 'persist X1', 'adopt X1, final 0']);
  });

  it('is executed parent first, whatever order the blocks come in', () => {
    const it = script({ self: null });
    const blocks = chainOn(genesis, 3);
    it.now = T0 + 1;
    for (const i of [2, 1, 0]) hold(it, blocks[i]!, `X${i + 1}`);
    for (const block of blocks) judge(it, block);
    expect(look(it)).toEqual(
      [
        'validate X1',
        'persist X1',
        'adopt X1, final 0',
        'validate X2',
        'persist X2',
        'adopt X2, final 0',
        'validate X3',
        'persist X3',
        'adopt X3, final 0',
      ].sort((a, b) => order(a) - order(b)),
    );
  });

  /** By block; within one the order above. */
  const order = (line: string) => Number(/\d/.exec(line)![0]) * 10 + ['v', 'p', 'a'].indexOf(line[0]!);
});

describe('finality', () => {
  it('a block is final with six above it, durably before the ledger hears of it', () => {
    const it = script({ self: null });
    const blocks = chainOn(genesis, 8);
    accept(it, blocks.slice(0, 6));
    expect(look(it).at(-1)).toBe('adopt X6, final 0');
    accept(it, blocks.slice(6), 'Y');
    expect(look(it)).toEqual([
      'validate Y1',
      'persist final Y1',
      'adopt Y1, final 1',
      'validate Y2',
      'persist final Y2',
      'adopt Y2, final 2',
    ]);
  });

  it.each([1, 2, 32])('or with as many above it as genesis says: %i', finalityDepth => {
    const it = script({ self: null, own: { finalityDepth } });
    const blocks = chainOn(genesis, finalityDepth + 1);
    accept(it, blocks.slice(0, finalityDepth));
    expect(look(it).at(-1)).toBe(`adopt X${finalityDepth}, final 0`);
    accept(it, blocks.slice(finalityDepth), 'Y');
    expect(look(it).at(-1)).toBe('adopt Y1, final 1');
    expect(finalityDepthOf(pow.spec, { finalityDepth })).toBe(finalityDepth);
  });

  it('a branch that leaves the final block is refused, whatever its work', () => {
    const it = script({ self: null });
    accept(it, chainOn(genesis, 7, { afterMs: 2000 }));
    look(it);
    const other = chainOn(genesis, 20, { n: 9, afterMs: 1000 });
    for (const block of other) hold(it, block);
    expect(look(it)).toEqual([]);
    expect(it.core.status().height).toBe(8);
    // From the final block on another branch is as good as any.
    const rest = chainOn(chainOn(genesis, 7, { afterMs: 2000 })[0]!, 9, { n: 8, afterMs: 1000 });
    accept(it, rest, 'R');
    expect(look(it).at(-1)).toBe('adopt R9, final 4');
  });

  it('final never falls when the head goes to a branch with fewer blocks', () => {
    const it = script({ self: null });
    const slow = chainOn(genesis, 8, { afterMs: 4000 });
    accept(it, slow);
    look(it);
    const quick = chainOn(slow[1]!, 5, { afterMs: 500, n: 3 });
    accept(it, quick, 'Q');
    expect(look(it).filter(line => line.startsWith('adopt'))).toEqual(['adopt Q5, final 2']);
    expect(it.core.status().height).toBe(8);
  });
});

describe('what is refused', () => {
  it('an invalid block ends its branch: what stands on it is never executed, and the next best is followed', () => {
    const it = script({ self: null });
    const bad = chainOn(genesis, 3, { n: 1 });
    const good = chainOn(genesis, 2, { n: 2 });
    for (const [i, block] of bad.entries()) hold(it, block, `B${i + 1}`);
    for (const [i, block] of good.entries()) hold(it, block, `G${i + 1}`);
    judge(it, bad[0]!);
    look(it);
    judge(it, bad[1]!, false);
    expect(look(it)).toEqual(['validate G1']);
    judge(it, good[0]!);
    judge(it, good[1]!);
    expect(look(it).at(-1)).toBe('adopt G2, final 0');
    hold(it, bad[2]!);
    hold(it, on(bad[2]!, { n: 5 }));
    tell(it, C, tipOf(on(bad[2]!, { n: 5 })));
    expect(look(it)).toEqual([]);
  });

  it('a block by one who is no validator at its height', () => {
    const it = script({ self: null });
    const outsider = on(genesis, { proposer: keyless });
    hold(it, outsider);
    hold(it, on(outsider));
    expect(look(it)).toEqual([]);
    // D leaves with the first block: the second may not be D's any more.
    const first = on(genesis);
    accept(it, []);
    hold(it, first, 'X');
    judge(it, first, true, [{ key: A, power: 1 }]);
    look(it);
    hold(it, on(first, { proposer: D }));
    expect(look(it)).toEqual([]);
    hold(it, on(first, { proposer: A }), 'Y');
    expect(look(it)).toEqual(['validate Y']);
  });

  it('a block that breaks a rule of headers, with all that came before it and stands on it', () => {
    const it = script({ self: null });
    const bad = on(genesis, { seal: { hardness: 15 * 65_536 } });
    const child = on(bad);
    it.now = T0 + 10_000;
    hold(it, child);
    expect(it.core.status().held).toBe(2);
    hold(it, bad);
    expect(look(it)).toEqual([]);
    tell(it, A, tipOf(child));
    expect(look(it)).toEqual([]);
  });

  it('a block from the future is taken when its time has come, and never held against it', () => {
    const it = script({ self: null });
    const future = on(genesis, { afterMs: 60_000 + 700 });
    hold(it, future, 'X');
    expect(look(it, true)).toEqual(['timer early 200']);
    pass(it, 199, 'early');
    expect(look(it, true)).toEqual(['timer early 1']);
    pass(it, 1, 'early');
    expect(look(it)).toEqual(['validate X']);
  });
});

describe('blocks that others have', () => {
  const late = () => script({ self: B, now: T0 + 100_000 });

  it('are fetched from whoever claims them, down to what is known, and executed from there up', () => {
    const it = late();
    look(it);
    const blocks = chainOn(genesis, 3);
    for (const [i, block] of blocks.entries()) it.names.set(block.id, `X${i + 1}`);
    tell(it, A, tipOf(blocks[2]!));
    expect(look(it)).toEqual(['fetch X3 from A']);
    tell(it, C, tipOf(blocks[2]!));
    expect(look(it)).toEqual([]);
    hold(it, blocks[2]!);
    expect(look(it)).toEqual(['fetch X2 from A']);
    hold(it, blocks[1]!);
    expect(look(it)).toEqual(['fetch X1 from A']);
    hold(it, blocks[0]!);
    expect(look(it)).toEqual(['validate X1']);
    expect(it.core.status().phase).toBe('waiting');
    judge(it, blocks[0]!);
    judge(it, blocks[1]!);
    judge(it, blocks[2]!);
    expect(look(it).filter(line => line.startsWith('adopt'))).toEqual([
      'adopt X1, final 0',
      'adopt X2, final 0',
      'adopt X3, final 0',
    ]);
  });

  it('from far away are approached in strides', () => {
    const it = late();
    look(it);
    const blocks = chainOn(genesis, 3 * STRIDE + 5);
    const byId = new Map(blocks.map(block => [block.id, block]));
    for (const block of blocks) it.names.set(block.id, `X${block.header.height}`);
    tell(it, A, tipOf(blocks.at(-1)!));
    const fetched: number[] = [];
    for (let asked = look(it); fetched.length < 500; asked = look(it)) {
      for (const line of asked) {
        const [, height] = /^(?:fetch|validate) X(\d+)/.exec(line) ?? [];
        const block = blocks[Number(height) - 1]!;
        if (line.startsWith('fetch')) {
          fetched.push(Number(height));
          hold(it, byId.get(block.id)!);
        } else if (line.startsWith('validate')) judge(it, block);
      }
      if (asked.length === 0) break;
    }
    expect(fetched.slice(0, 5)).toEqual([101, 96, 64, 32, 31]);
    expect(new Set(fetched).size).toBe(fetched.length);
    expect(it.core.status().height).toBe(102);
    expect(it.core.status().held).toBeLessThan(120);
  });

  it('that do not come are asked for again, and given up after a while', () => {
    const it = late();
    look(it);
    const block = on(genesis);
    it.names.set(block.id, 'X');
    tell(it, A, tipOf(block));
    expect(it.core.status().phase).toBe('catching-up');
    const lines: string[] = [];
    for (let i = 0; i < 12; i++) {
      pass(it, 1000, 'retry');
      // Saying it again brings nothing.
      tell(it, A, tipOf(block));
      lines.push(...look(it).filter(line => line.startsWith('fetch')));
    }
    expect(lines.length).toBeLessThanOrEqual(14);
    expect(lines[0]).toBe('fetch X from A');
    // Whoever once led nowhere holds nobody up.
    expect(it.core.status().phase).toBe('mining');
    for (let i = 0; i < 9; i++) pass(it, 1000, 'retry');
    look(it);
    pass(it, 1000, 'retry');
    expect(look(it).filter(line => line.startsWith('fetch'))).toEqual([]);
  });

  it('are not asked for where they cannot be: too high for the time, no better than the head, or told by a stranger', () => {
    const it = late();
    const head = on(genesis);
    accept(it, [head]);
    look(it);
    tell(it, A, { type: 'tip', height: 1000, block: on(head).id, work: 2n ** 200n });
    tell(it, A, tipOf(head));
    tell(it, A, tipOf(on(genesis, { n: 4 }), 1n));
    tell(it, keyless, tipOf(on(head)));
    tell(it, B, tipOf(on(head)));
    expect(look(it).filter(line => !line.startsWith('tip'))).toEqual([]);
  });

  it('on a branch that left the final block: the claim is dropped, and the next one costs one question', () => {
    const it = late();
    accept(it, chainOn(genesis, 9, { afterMs: 2000 }));
    look(it);
    const other = chainOn(genesis, 12, { n: 7, afterMs: 1000 });
    const byName = new Map(other.map((block, i) => [`O${i + 1}`, block]));
    for (const [name, block] of byName) it.names.set(block.id, name);
    tell(it, C, tipOf(other[10]!));
    let questions = 0;
    for (let asked = look(it); asked.length > 0 && questions < 50; asked = look(it)) {
      for (const line of asked) {
        const [, name] = /^fetch (\w+)/.exec(line) ?? [];
        if (name === undefined) continue;
        questions++;
        hold(it, byName.get(name)!);
      }
    }
    // Down to the height above the final one, where it is seen to leave.
    expect(questions).toBe(8);
    tell(it, C, tipOf(other[11]!));
    expect(look(it)).toEqual(['fetch O12 from C']);
    hold(it, other[11]!);
    expect(look(it)).toEqual([]);
    expect(it.core.status().phase).not.toBe('catching-up');
  });

  it('a way down that does not get shorter is left at the first false step', () => {
    const it = late();
    look(it);
    // Each of these cost its maker a search, and says the height of its child.
    const low = on(on(genesis), { change: { height: 20 } });
    const tall = on(low, { change: { height: 20 } });
    tell(it, A, tipOf(tall));
    hold(it, tall);
    expect(look(it).length).toBe(2);
    hold(it, low);
    expect(look(it)).toEqual([]);
    expect(it.core.status().phase).not.toBe('catching-up');
    tell(it, A, tipOf(tall));
    expect(look(it)).toEqual([]);
  });

  it('a body that was let go before it could be executed is brought again', () => {
    const it = script();
    hold(it, on(genesis), 'X');
    look(it);
    pass(it, 1000, 'retry');
    expect(look(it).filter(line => line.startsWith('fetch'))).toEqual(['fetch X from A C D']);
    hold(it, on(genesis));
    expect(look(it)).toEqual(['validate X']);
  });
});

describe('what is told', () => {
  it('a lighter head is answered with the own, at most four times in an interval', () => {
    const it = script();
    accept(it, chainOn(genesis, 2));
    look(it);
    for (let i = 0; i < 40; i++) {
      tell(it, C, tipOf(genesis));
      pass(it, 25);
    }
    expect(look(it).filter(line => line === 'tip X2 to C').length).toBe(4);
  });

  it('news once in an interval, nothing new once in a heartbeat', () => {
    const it = script({ self: C, now: T0 });
    const blocks = chainOn(genesis, 12, { afterMs: 500, empty: true });
    for (const [i, block] of blocks.entries()) {
      it.now = T0 + i * 100;
      hold(it, block);
      judge(it, block);
    }
    const told = look(it).filter(line => line.startsWith('tip'));
    expect(told.length).toBe(2);
    for (let i = 0; i < 300; i++) pass(it, 100, 'announce');
    // One for what was new, and then one in ten seconds.
    expect(look(it).filter(line => line.startsWith('tip')).length).toBe(3);
  });

  it('an observer says nothing and builds nothing', () => {
    const it = script({ self: null });
    feed(it, { type: 'work', since: T0 });
    accept(it, chainOn(genesis, 3));
    tell(it, A, tipOf(genesis));
    pass(it, 60_000, 'mine');
    expect(look(it).filter(line => /^(tip|build|publish)/.test(line))).toEqual([]);
    expect(it.core.status().voting).toBe(false);
  });
});
