import { spawn } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromUtf8 } from '../../../ledger/types/bytes.ts';
import { makeChain } from './chain.ts';
import { open, stateOf, temporaryDirectory } from './fixtures.ts';

const COUNT = 150;
const chain = makeChain(COUNT, { transactions: 20, payloadBytes: 500 });

/** Runs the child until it has said `lines` lines after opening, then kills it; what it said. */
function runAndKill(directory: string, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'crashing-node.ts'), directory, String(COUNT)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.split('\n').length > lines) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(said.split('\n').slice(0, -1)));
  });
}

const last = (lines: readonly string[], word: string): number => {
  const line = lines.findLast(each => each.startsWith(`${word} `));
  return line === undefined ? -1 : Number(line.split(' ').at(-1));
};

describe('a node killed at any moment', () => {
  it('loses nothing that was acknowledged, and the database catches up', async () => {
    const directory = temporaryDirectory();
    let voted = -1;
    let final = -1;
    let behind = 0;
    for (const lines of [1, 2, 3, 6, 11, 18, 29, 40, 57, 300]) {
      const said = await runAndKill(directory, lines);
      expect(said[0], 'it opened').toMatch(/^open /);
      expect(last(said, 'open')).toBeGreaterThanOrEqual(final);
      voted = Math.max(voted, last(said, 'vote'));
      final = Math.max(final, last(said, 'final'), last(said, 'open'));

      // As it lies there, opened as a copy: the next run has to deal with the same crash.
      const copy = join(temporaryDirectory(), 'data');
      cpSync(directory, copy, { recursive: true });
      const store = await open(copy);
      const { recovered } = store;
      behind += recovered.replay.length;
      const vote = recovered.records.get('vote');
      expect(vote ? Number(fromUtf8(vote)) : -1).toBeGreaterThanOrEqual(voted);
      for (const { block, certificate } of recovered.replay) {
        expect(block).toEqual(chain.blocks[block.header.height]);
        expect(certificate).toEqual(chain.finals[block.header.height]!.certificate);
        await store.commit(chain.finals[block.header.height]!);
      }
      const head = store.final?.height ?? -1;
      expect(head).toBeGreaterThanOrEqual(final);
      // The block that was voted for and is not decided is still held.
      if (voted > head) expect(recovered.pending.map(({ id }) => id)).toContain(chain.blocks[voted]!.id);
      await store.flushed();
      expect(await stateOf(store)).toEqual(makeChain(head + 1, { transactions: 20, payloadBytes: 500 }).state);
      await store.close();
    }
    expect(behind, 'the database was behind the log at least once').toBeGreaterThan(0);
    expect(final).toBe(COUNT - 1);
  });

  it('brings a database from any earlier moment up to date, as after a power cut that took what was not synced', async () => {
    const directory = temporaryDirectory();
    const early = temporaryDirectory();
    const store = await open(directory);
    for (const final of chain.finals.slice(0, 10)) await store.commit(final);
    await store.flushed();
    cpSync(join(directory, 'level'), early, { recursive: true });
    for (const final of chain.finals.slice(10, 60)) await store.commit(final);
    await store.persist([], []);
    const copy = temporaryDirectory();
    cpSync(early, join(copy, 'level'), { recursive: true });
    cpSync(join(directory, 'log'), join(copy, 'log'), { recursive: true });
    await store.close();

    const again = await open(copy);
    expect(again.recovered.final?.height).toBe(9);
    expect(again.recovered.replay.map(({ block }) => block.header.height)).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 10),
    );
    for (const { block } of again.recovered.replay) await again.commit(chain.finals[block.header.height]!);
    await again.close();
    const whole = await open(copy);
    expect(whole.recovered.final?.height).toBe(59);
    expect(await stateOf(whole)).toEqual(makeChain(60, { transactions: 20, payloadBytes: 500 }).state);
    await whole.close();
  });

  it('keeps its votes and fetches the blocks anew when the operator deletes the database', async () => {
    const directory = temporaryDirectory();
    const store = await open(directory, { segmentBytesMax: 50_000 });
    for (const final of chain.finals.slice(0, 40)) await store.commit(final);
    await store.persist([{ key: 'vote', value: Uint8Array.of(40) }], [chain.blocks[40]!]);
    await store.close();
    rmSync(join(directory, 'level'), { recursive: true });

    // Twice, cut short in between: the second opening finds a database that has begun to grow again.
    for (const until of [25, 41]) {
      const again = await open(directory, { segmentBytesMax: 50_000 });
      expect(again.recovered.records.get('vote')).toEqual(Uint8Array.of(40));
      expect(again.recovered.replay).toEqual([]);
      if (until === 25) expect(again.recovered.final).toBeNull();
      for (const final of chain.finals.slice((again.final?.height ?? -1) + 1, until)) await again.commit(final);
      if (until === 25) {
        const copy = temporaryDirectory();
        await again.flushed();
        cpSync(directory, copy, { recursive: true });
        const crashed = await open(copy);
        expect(crashed.final?.height).toBe(24);
        await crashed.close();
      }
      await again.close();
    }
    expect(readdirSync(join(directory, 'log')).length).toBeLessThanOrEqual(2);
  });
});
