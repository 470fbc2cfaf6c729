/**
 * Draws the curves of benchmarks: `node test/bench/draw.ts RESULTS.jsonl DIRECTORY` reads what `quorate bench NAME --json` printed, a
 * result on each line, and writes `NAME-CURVE.svg` for each curve that a benchmark of that name has.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Panel, type Picture, type Point, svgOf } from './picture.ts';
import type { BenchResult } from './result.ts';

const PROCESSOR: Panel = {
  title: 'processor time of each for a transaction, µs',
  series: [{ field: 'processorMicroseconds', name: 'measured' }],
};

/** By the name of the benchmark, and by the figure that holds the points. */
const PICTURES: Readonly<Record<string, Readonly<Record<string, Picture>>>> = {
  growth: {
    state: {
      title: 'State: an update of one key, in blocks of 1,000',
      x: { field: 'keys', name: 'entries of the state', isLogarithmic: true },
      panels: [
        {
          title: 'µs',
          series: [
            { field: 'microsecondsPerKey', name: 'an updated key' },
            { field: 'hashingMicrosecondsPerKey', name: 'its hashes alone' },
          ],
        },
        { title: 'µs', series: [{ field: 'readMicrosecondsPerKey', name: 'a key read' }] },
      ],
    },
    networks: {
      title: 'Validators: transfers committed on all, on one machine',
      x: { field: 'validators', name: 'validators', isLogarithmic: false },
      panels: [
        {
          title: 'transactions/s',
          series: [
            { field: 'transactionsPerSecond', name: 'measured' },
            { field: 'limit', name: 'signatures alone' },
          ],
        },
        PROCESSOR,
        { title: 'submit to final when idle, ms', series: [{ field: 'idleMsP50', name: 'median' }] },
      ],
    },
    sizes: {
      title: 'Size: transactions committed on four validators',
      x: { field: 'bytesPerTransaction', name: 'bytes of a transaction', isLogarithmic: true },
      panels: [
        { title: 'transactions/s', series: [{ field: 'transactionsPerSecond', name: 'measured' }] },
        { title: 'MB/s', series: [{ field: 'megabytesPerSecond', name: 'measured' }] },
        PROCESSOR,
      ],
    },
  },
  'wide-area': {
    networks: {
      title: 'Five continents: blocks of the pbft engine in virtual time',
      x: { field: 'validators', name: 'validators', isLogarithmic: false },
      panels: [
        {
          title: 'block interval, ms',
          series: [
            { field: 'intervalMs', name: 'simulated' },
            { field: 'intervalAtBestMs', name: 'distances alone' },
          ],
        },
        {
          title: 'submit to final, ms',
          series: [
            { field: 'finalMsP50', name: 'median' },
            { field: 'finalMsP99', name: 'p99' },
          ],
        },
        { title: 'sent by each for a block, KB', series: [{ field: 'bytesPerBlock', name: 'simulated', per: 1_000 }] },
      ],
    },
  },
};

/** The pictures of a result by their file names; none where a benchmark has no curves. */
export const picturesOf = ({ name, figures }: BenchResult): (readonly [file: string, svg: string])[] =>
  Object.entries(PICTURES[name] ?? {}).map(([figure, picture]) => [
    `${name}-${figure}.svg`,
    svgOf(picture, figures[figure] as readonly Point[]),
  ]);

if (import.meta.main) {
  const [results, directory] = process.argv.slice(2);
  if (results === undefined || directory === undefined) throw new Error('usage: draw.ts RESULTS.jsonl DIRECTORY');
  mkdirSync(directory, { recursive: true });
  for (const line of readFileSync(results, 'utf8').split('\n').filter(Boolean))
    for (const [file, svg] of picturesOf(JSON.parse(line) as BenchResult)) {
      writeFileSync(join(directory, file), svg);
      process.stdout.write(`${join(directory, file)}\n`);
    }
}
