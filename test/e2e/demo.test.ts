import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkStory, differencesOf } from '../../cli/demo/check.ts';
import type { Story } from '../../cli/demo/scenario.ts';
import { runningPid } from '../../cli/network/process.ts';
import { PROGRAM, spawned, temporary } from '../unit/cli/run.ts';

/** A machine that has other work than this may take several times the half minute that it should take. */
const TIMEOUT_MS = 240_000;

const cwd = temporary();
const home = join(cwd, '.quorate');
const NODES = ['node0', 'node1', 'node2', 'node3'];
const running = () => NODES.filter(node => runningPid(join(home, node)) !== null);

/** The demo as a child process that is interrupted as soon as its answer is complete. */
async function untilAnswered(args: readonly string[]): Promise<{ story: Story; code: number | null; ran: string[] }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close') as Promise<[number | null]>;
  let stdout = '';
  let ran: string[] = [];
  child.stdout.setEncoding('utf8').on('data', part => {
    stdout += part;
    if (!stdout.endsWith('\n}\n')) return;
    ran = running();
    child.kill('SIGINT');
  });
  const [code] = await ended;
  return { story: JSON.parse(stdout), code, ran };
}

describe('the demo', () => {
  it(
    'plays, shows what came of it, and stops with 0',
    async () => {
      const { code, stdout, stderr } = await spawned(['demo', '--exit', '--base-port', '0'], { cwd });
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stderr).toMatch(/^Borgo Cannery +fills bottles and jars, packs two pallets +20 events/m);
      expect(stderr).toMatch(/^Mercato +ships carton 4.* +refused: NOT_HOLDER$/m);
      for (const line of [
        /^ {2}Alta Orchard +apples +A-0903 100 kg$/m,
        /^ {2}apples A-0901 +1200 kg consumed by Riva Press$/m,
        /^ {5}├─ bottle 3101 +sold by Mercato$/m,
        /^ {2}NOT_HOLDER: /m,
        /^ {2}left +alice 987\.50, bob 262\.50$/m,
        /^ {2}checked +valid: without a node/m,
        /^ {2}nodes +node0, node1, node2, node3$/m,
        /^ {2}kill -9 \$\(cat \.quorate\/node2\/node\.pid\)$/m,
      ])
        expect(stdout).toMatch(line);
      expect(running()).toEqual([]);

      // The lines to copy hold without a node, too.
      const [, proof, genesis] = /verify (\S+) --genesis (\S+)/.exec(stdout)!;
      const verified = await spawned(['verify', proof!, '--genesis', genesis!, '--json'], { cwd });
      expect(verified.json()).toMatchObject({ valid: true, chainId: 'quorate-demo' });
      const QUORATE_PASSPHRASE = /QUORATE_PASSPHRASE=(\S+)/.exec(stdout)![1]!;
      const exported = await spawned(['wallet', 'export', 'alice', '--json'], { cwd, env: { QUORATE_PASSPHRASE } });
      expect(exported.code).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    'begins anew in its own directory, runs until it is interrupted, and leaves no process behind',
    async () => {
      const before = readFileSync(join(home, 'genesis.json'), 'utf8');
      const { story, code, ran } = await untilAnswered(['demo', '--base-port', '0', '--json']);
      expect(ran).toEqual(NODES);
      expect(code).toBe(0);
      expect(running()).toEqual([]);
      expect(existsSync(home)).toBe(true);
      expect(readFileSync(join(home, 'genesis.json'), 'utf8')).not.toBe(before);

      // A check that lets everything pass would be none.
      expect(differencesOf(story)).toEqual([]);
      const { proof } = story;
      const wrong: readonly (readonly [what: RegExp, story: Story])[] = [
        [/events recorded/, { ...story, chapters: story.chapters.slice(1) }],
        [/refused event/, { ...story, mistake: { ...story.mistake, code: 'BAD_ID' } }],
        [/who holds/, { ...story, holdings: story.holdings.toReversed() }],
        [/is recalled/, { ...story, recall: { ...story.recall, made: story.recall.made.slice(1) } }],
        [/packed in/, { ...story, recall: { ...story.recall, packed: [] } }],
        [/balances/, { ...story, balances: { ...story.balances, bob: '262.51' } }],
        [/is proved/, { ...story, proof: { ...proof, transaction: null } }],
        [/height of the proof/, { ...story, proof: { ...proof, height: proof.height + 1 } }],
        ...(['block', 'stateRoot'] as const).map(field => {
          const nodes = story.agreement.nodes.map((node, i) => (i === 2 ? { ...node, [field]: '00' } : node));
          return [/agreement/, { ...story, agreement: { ...story.agreement, nodes } }] as const;
        }),
      ];
      for (const [what, each] of wrong) expect(() => checkStory(each)).toThrow(what);
    },
    TIMEOUT_MS,
  );
});
