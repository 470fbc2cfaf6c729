import { expect, test } from 'vitest';
import { benchWideArea } from '../../bench/wide-area.ts';

interface Point {
  readonly validators: number;
  readonly intervalMs: number;
  readonly intervalAtBestMs: number;
  readonly finalMsP50: number;
  readonly messagesPerBlock: number;
  readonly laterViews: number;
}

const points = (validators: number): readonly Point[] =>
  benchWideArea({ validators, blocks: 3 }, () => {}).figures.networks as readonly Point[];

test('more validators than the simulator has faults for agree in their first view, as fast as distances let them', () => {
  const [four, , , many] = points(65);
  for (const { intervalMs, intervalAtBestMs, finalMsP50, laterViews } of [four!, many!]) {
    expect(laterViews).toBe(0);
    expect(intervalMs).toBeGreaterThan(intervalAtBestMs);
    expect(intervalMs).toBeLessThan(1.3 * intervalAtBestMs);
    expect(finalMsP50).toBeGreaterThan(intervalAtBestMs);
  }
  expect(four!.validators).toBe(4);
  expect(many!.messagesPerBlock).toBeGreaterThan(2 * 63);
});

test('the same network comes to the same again', () => {
  expect(points(7)).toEqual(points(7));
});
