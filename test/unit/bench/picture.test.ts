import { describe, expect, test } from 'vitest';
import { picturesOf } from '../../bench/draw.ts';
import { niceStep, type Picture, scaleOf, short, svgOf } from '../../bench/picture.ts';

const picture: Picture = {
  title: 'Cost & <limit>',
  x: { field: 'size', name: 'entries', isLogarithmic: true },
  panels: [
    {
      title: 'µs',
      series: [
        { field: 'cost', name: 'measured' },
        { field: 'limit', name: 'at best' },
      ],
    },
    { title: 'KB', series: [{ field: 'bytes', name: 'sent', per: 1_000 }] },
  ],
};
const points = [
  { size: 10, cost: 4, limit: 1, bytes: 500 },
  { size: 100, cost: 5, limit: 1.5, bytes: 1_500 },
  { size: 1_000, cost: 8, limit: 2, bytes: 2_000 },
];

const all = (svg: string, pattern: RegExp) => [...svg.matchAll(pattern)].map(([, ...groups]) => groups.map(Number));

describe('a picture of curves', () => {
  const svg = svgOf(picture, points);
  const panels = svg.split('<g ').slice(1);

  test('has a panel for each unit, with its title, its names and the axis', () => {
    expect(panels).toHaveLength(2);
    for (const words of ['>µs<', '● measured', '● at best', '>entries<', '>10<', '>1000<'])
      expect(panels[0]).toContain(words);
    expect(panels[1]).toContain('>KB<');
    expect(svg).toContain('Cost &amp; &lt;limit>');
  });

  test('has a point for each value, evenly apart on a logarithmic axis, the higher the greater', () => {
    const circles = all(panels[0]!, /class="point point0" cx="([\d.]+)" cy="([\d.]+)"/g);
    const [first, second, third] = circles as [[number, number], [number, number], [number, number]];
    expect(circles).toHaveLength(3);
    expect(second[0] - first[0]).toBeCloseTo(third[0] - second[0], 0);
    expect(first[1]).toBeGreaterThan(second[1]);
    expect(second[1]).toBeGreaterThan(third[1]);
    expect(first[1] - second[1]).toBeCloseTo((second[1] - third[1]) / 3, 0);
  });

  test('has the values of the first curve beside its points, in the unit of the panel', () => {
    expect([...panels[1]!.matchAll(/class="value"[^>]*>([^<]+)</g)].map(each => each[1])).toEqual(['0.5', '1.5', '2']);
  });

  test('has nothing outside of itself', () => {
    const [[width, height]] = all(svg, /width="(\d+)" height="(\d+)"/g) as [[number, number]];
    for (const panel of panels) {
      const [[left, top]] = all(panel, /translate\((\d+) (\d+)\)/g) as [[number, number]];
      for (const [x, y] of all(panel, /cx="([-\d.]+)" cy="([-\d.]+)"/g) as [number, number][]) {
        expect(left + x).toBeLessThan(width);
        expect(top + y).toBeLessThan(height);
        expect(y).toBeGreaterThan(0);
      }
    }
  });

  test('is refused where a point lacks a number', () => {
    expect(() => svgOf(picture, [{ size: 10, cost: 4, limit: null, bytes: 1 }])).toThrow('a point has no number limit');
  });
});

test('one point alone stands in the middle', () => {
  expect(scaleOf([7], false)(7)).toBe(0.5);
  expect(scaleOf([1, 100], true)(10)).toBeCloseTo(0.5);
});

test('an axis goes by ones, twos or fives', () => {
  expect([0.3, 1, 1.2, 4, 5.1, 70].map(niceStep)).toEqual([0.5, 1, 2, 5, 10, 100]);
});

test('numbers are written with three figures, four where they are thousands', () => {
  expect([0.456, 12.34, 221, 1_024, 16_384, 999_900, 1e6, 1e7].map(short)).toEqual([
    ...['0.456', '12.3', '221', '1024', '16.4k', '1M', '1M', '10M'],
  ]);
});

test('a benchmark without curves has no pictures', () => {
  const result = { name: 'tps', value: 1, unit: 'transactions/s', ratio: 1, limit: 1, figures: {} };
  expect(picturesOf(result)).toEqual([]);
});
