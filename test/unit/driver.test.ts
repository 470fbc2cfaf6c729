import { describe, expect, it } from 'vitest';
import type { ConsensusCore, Effect, Event, Resume } from '../../consensus/core.ts';
import type { BlockId } from '../../ledger/types/ids.ts';
import { createDriver, type PersistEffect } from '../../node/driver.ts';

type Step = readonly Effect<string>[];

const persist = (...blocks: string[]): Effect<string> => ({ type: 'persist', writes: [], blocks: blocks as BlockId[] });
const send = (message: string): Effect<string> => ({ type: 'send', to: 'all', message });
const nudge: Event<string> = { type: 'work', since: null };

/** A driver around a core that answers each event with the next of `steps`; syncs end when the test says so. */
function scene(steps: readonly Step[]) {
  const done: string[] = [];
  const syncs: (() => void)[] = [];
  const fatal: unknown[] = [];
  /** What the host holds now. */
  const held = new Set<string>();
  const left = [...steps];
  const core = {
    start: () => left.shift() ?? [],
    step: () => left.shift() ?? [],
  } as unknown as ConsensusCore<string>;
  const driver = createDriver<string>({
    core,
    now: () => 0,
    persist({ blocks }: PersistEffect) {
      for (const block of blocks) if (!held.has(block)) throw new Error(`${block} is not held`);
      return () =>
        new Promise<void>(resolve => {
          done.push(`persist ${blocks.join(' ')}`);
          syncs.push(resolve);
        });
    },
    perform: effect => void done.push(effect.type === 'send' ? effect.message : effect.type),
    fatal: error => void fatal.push(error),
  });
  return { driver, done, syncs, fatal, held, start: () => driver.start({} as Resume) };
}

const settled = () => new Promise(resolve => setImmediate(resolve));

describe('the driver', () => {
  it('releases nothing before the persists that precede it are durable, of this step or of later ones', async () => {
    const { driver, done, syncs, start } = scene([[persist(), send('a')], [send('b')], [persist(), send('c')]]);
    start();
    driver.post(nudge);
    driver.post(nudge);
    expect(done).toEqual(['persist ']);
    syncs[0]!();
    await settled();
    expect(done).toEqual(['persist ', 'a', 'b', 'persist ']);
    syncs[1]!();
    await settled();
    expect(done.at(-1)).toBe('c');
  });

  it('takes the blocks of a persist at once: the ledger may have moved on when its turn comes', async () => {
    const { driver, done, syncs, fatal, held, start } = scene([[persist('x')], [persist('y')]]);
    held.add('x').add('y');
    start();
    driver.post(nudge);
    held.clear();
    syncs[0]!();
    await settled();
    expect(done).toEqual(['persist x', 'persist y']);
    expect(fatal).toEqual([]);
  });

  it('stops where a persist fails, once and for all', async () => {
    const { driver, done, fatal, start } = scene([[], [persist('missing'), send('a')], [send('b')]]);
    start();
    driver.post(nudge);
    driver.post(nudge);
    await settled();
    expect([done, fatal]).toEqual([[], [new Error('missing is not held')]]);
  });
});
