/** That the checks of a simulated world notice what they are there for. */
import { describe, expect, it } from 'vitest';
import { crash, start, submit, tip, wipe } from './replica.ts';
import { newContent, wrongRoot } from './roots.ts';
import { commonHeight, newWorld, run, startAll, type World } from './world.ts';

const BLOCKS = 5;

function world(): World {
  const it = newWorld({ seed: 1, powers: [1, 1, 1, 1] });
  startAll(it);
  for (let i = 0; i < BLOCKS; i++) {
    for (const replica of it.replicas) submit(it, replica, i);
    run(it, 1000, () => commonHeight(it) > i);
  }
  run(it, 100);
  return it;
}

describe('roots by their definitions', () => {
  it.each(['transactionsRoot', 'receiptsRoot', 'stateRoot', 'historyRoot'] as const)('see a wrong %s', field => {
    const { genesis, replicas } = world();
    const { blocks } = replicas[0]!.disk;
    const content = newContent(genesis);
    for (const each of blocks.slice(0, -1)) expect(wrongRoot(content, each)).toBeNull();
    const last = blocks.at(-1)!;
    const header = { ...last.block.header, [field]: '0'.repeat(64) };
    expect(wrongRoot(content, { ...last, block: { ...last.block, header } })).toContain(`${field} is `);
  });

  it('see an entry that was left out of the changes', () => {
    const { genesis, replicas } = world();
    const content = newContent(genesis);
    const [first] = replicas[0]!.disk.blocks;
    expect(wrongRoot(content, { ...first!, changes: new Map([...first!.changes].slice(1)) })).toContain(
      'stateRoot is ',
    );
  });
});

describe('final heights', () => {
  it('may not fall while a node runs', () => {
    const it = world();
    it.checks.progress[2]!.height = tip(it.replicas[2]!).height + 1;
    expect(() => run(it, 20_000)).toThrow('the final height of node 2 fell from 6 to 5');
  });

  it('may not fall below what the disk kept while a node is down, unless the disk is lost', () => {
    const it = world();
    const node = it.replicas[2]!;
    const progress = it.checks.progress[2]!;
    expect(progress.durable).toBeGreaterThan(0);
    progress.durable = tip(node).height + 1;
    crash(it, node);
    start(it, node);
    expect(() => run(it, 20_000)).toThrow(/^the final height of node 2 fell from 6 to [1-5]$/);
    const other = world();
    wipe(other, other.replicas[2]!);
    start(other, other.replicas[2]!);
    run(other, 20_000);
  });
});
