import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { quorate } from './run.ts';

const simulate = async (...args: string[]) => {
  const { code, stdout, stderr } = await quorate(['simulate', ...args]);
  return { code, stderr, answers: stdout.startsWith('[') ? JSON.parse(stdout) : stdout };
};

describe('quorate simulate', () => {
  it('tells of each engine what was simulated, and the same of the same seeds', async () => {
    const args = ['--engine', 'solo', '--seeds', '3', '--seed', '7', '--json'];
    const { code, answers } = await simulate(...args);
    expect(code).toBe(0);
    expect(answers).toMatchObject([
      { engine: 'solo', seeds: 3, failure: null, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(answers[0].blocks).toBeGreaterThan(3);
    const again = await simulate(...args);
    expect(again.answers[0].digest).toBe(answers[0].digest);
    const other = await simulate('--engine', 'solo', '--seeds', '3', '--seed', '8', '--json');
    expect(other.answers[0].digest).not.toBe(answers[0].digest);
  });

  it('runs one seed where one is named, and says it to people', async () => {
    const { code, answers } = await simulate('--engine', 'solo', '--seed', '7');
    expect(code).toBe(0);
    expect(answers).toMatch(/^engine +solo\nseeds +1\nsimulated hours /);
    expect(answers).toMatch(/violation +none/);
  });

  it('comes to the same with any number of jobs', async () => {
    const answers = [];
    for (const jobs of ['1', '2']) {
      const { answers: found } = await simulate(
        ...['--engine', 'solo', '--seeds', '3', '--seed', '7', '--json', '--jobs', jobs],
      );
      const { cpuSeconds, elapsedSeconds, speed, pace, ...rest } = found[0];
      expect(Math.min(cpuSeconds, elapsedSeconds, speed, pace)).toBeGreaterThan(0);
      answers.push(rest);
    }
    expect(answers[1]).toEqual(answers[0]);
  });

  it('ends at Ctrl-C with what it has found', async () => {
    const listeners = process.listenerCount('SIGINT');
    const running = simulate('--engine', 'all', '--seeds', '1000000', '--jobs', '2', '--json');
    while (process.listenerCount('SIGINT') === listeners) await turn();
    process.emit('SIGINT');
    const { code, stderr, answers } = await running;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: INTERRUPTED: /);
    expect(answers).toMatchObject([{ failure: null }]);
    expect(answers[0].seeds).toBeLessThan(1_000_000);
    expect(process.listenerCount('SIGINT')).toBe(listeners);
  });

  it('knows no other engines', async () => {
    const { code, stderr } = await simulate('--engine', 'tangaroa');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: USAGE: there is no engine "tangaroa"; one of pbft, .*, all\n$/);
  });
});
