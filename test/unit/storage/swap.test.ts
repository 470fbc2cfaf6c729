import { closeSync, ftruncateSync, readdirSync, writeSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSwap, type Place, type Swap } from '../../../node/storage/swap.ts';
import { openNameless, temporaryDirectory } from './fixtures.ts';

async function scene(): Promise<{ swap: Swap; directory: string }> {
  const directory = temporaryDirectory();
  const swap = await openSwap(directory);
  onTestFinished(() => swap.close());
  return { swap, directory };
}

const binary = fc.uint8Array({ maxLength: 9_000 }).map(bytes => Buffer.from(bytes).toString('latin1'));
const list = fc.array(binary, { maxLength: 20, size: 'max' });

describe('the swap', () => {
  it('gives back what was written, whatever was let go and written between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(list, { maxLength: 4 }), { maxLength: 12 }),
        fc.nat(),
        async (rounds, seed) => {
          const { swap } = await scene();
          const held = new Map<Place, readonly string[]>();
          for (const [i, lists] of rounds.entries()) {
            const places = await swap.write(lists);
            for (const [at, place] of places.entries()) held.set(place, lists[at]!);
            const gone = [...held.keys()][(seed + i) % Math.max(1, held.size)];
            if (gone !== undefined && held.delete(gone)) swap.free(gone);
            for (const [place, strings] of held) expect(swap.read(place)).toEqual(strings);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('does not grow as long as as much is let go as is written', async () => {
    const { swap } = await scene();
    const of = (length: number) => ['x'.repeat(length)];
    const sizes = [1, 4_000, 5_000, 9_999, 30_000];
    let places = await swap.write(sizes.map(of));
    const { bytes } = swap;
    for (let i = 0; i < 10; i++) {
      for (const place of places) swap.free(place);
      places = await swap.write(sizes.map(size => of(size - (i % 2))));
    }
    expect(swap.bytes).toBe(bytes);
    expect(bytes).toBeLessThan(1.3 * (sizes.reduce((sum, size) => sum + size) + 4_096));
  });

  it('has no name, and so no room once it is closed', async () => {
    const { swap, directory } = await scene();
    await swap.write([['something']]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('says that what it reads is not what was written', async () => {
    const { swap, directory } = await scene();
    const [place] = await swap.write([['something']]);
    const file = openNameless(directory);
    writeSync(file, 'X', place!.at + 6);
    expect(() => swap.read(place!)).toThrow(expect.objectContaining({ code: 'SWAP_READ_FAILED' }));
    ftruncateSync(file, 3);
    expect(() => swap.read(place!)).toThrow(expect.objectContaining({ code: 'SWAP_READ_FAILED' }));
    closeSync(file);
  });
});
