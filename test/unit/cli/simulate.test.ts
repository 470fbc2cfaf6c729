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

  it('knows no other engines', async () => {
    const { code, stderr } = await simulate('--engine', 'tangaroa');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: USAGE: there is no engine "tangaroa"; one of pbft, .*, all\n$/);
  });
});
