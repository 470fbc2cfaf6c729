/** What the story must have come to, whatever the machine, the order of messages and the node that is asked. */
import { isDeepStrictEqual } from 'node:util';
import { FaultError } from '../../ledger/types/errors.ts';
import { agree } from './agreement.ts';
import type { Story } from './scenario.ts';

const RECORDED = [9, 13, 20, 7, 12, 2];

const HOLDINGS: readonly string[] = [
  'orchard apples: A-0903 100 kg',
  'cannery cartons: 4 (3 inside), 6 (3 inside)',
  'cannery juice: J-31 834 l, J-32 854 l',
  'cannery sauce: S-11 297 kg, S-12 522 kg',
  'grocer cartons: 1, 2 (3 inside), 3, 5 (3 inside), 7, 8 (3 inside)',
  'grocer pallets: 9, 10',
  'grocer bottles: 3102, 3103, 3201, 3202, 3203',
  'grocer jars: 1202, 1203',
];

const RECALL: readonly string[] = [
  'apples A-0901: 1200 kg consumed by Riva Press',
  'sauce S-11: 3 kg consumed by Borgo Cannery, 297 kg held by Borgo Cannery',
  'juice J-31: 6 l consumed by Borgo Cannery, 834 l held by Borgo Cannery',
  ...['1101', '1102', '1103'].map(jar => `jar ${jar}: held by Mercato, in carton 5`),
  ...['1104', '1105', '1106'].map(jar => `jar ${jar}: held by Borgo Cannery, in carton 6`),
  'bottle 3101: sold by Mercato',
  ...['3102', '3103'].map(bottle => `bottle ${bottle}: held by Mercato`),
  ...['3104', '3105', '3106'].map(bottle => `bottle ${bottle}: held by Mercato, in carton 2`),
];

const PACKED: readonly string[] = [
  'carton 5: held by Mercato',
  'carton 6: held by Borgo Cannery',
  'carton 1: held by Mercato',
  'carton 2: held by Mercato',
];

/** What is not as it must be: its name, what it is, what it should be. */
export interface Difference {
  readonly what: string;
  readonly found: unknown;
  readonly expected: unknown;
}

export function differencesOf(story: Story): Difference[] {
  const { chapters, mistake, holdings, recall, balances, payment, proof, agreement } = story;
  const lines = (made: Story['recall']['made']) => made.map(({ label, where }) => `${label}: ${where}`);
  const held = holdings.map(({ member, kind, things }) => `${member} ${kind}: ${things.join(', ')}`);
  const checks: readonly (readonly [what: string, found: unknown, expected: unknown])[] = [
    ['events recorded in each chapter', chapters.map(each => each.recorded), RECORDED],
    ['the code of the refused event', mistake.code, 'NOT_HOLDER'],
    ['who holds what', held, HOLDINGS],
    ['what is recalled', lines(recall.made), RECALL],
    ['what recalled things were packed in', lines(recall.packed), PACKED],
    ['the balances', balances, { alice: '987.50', bob: '262.50' }],
    ['the transaction that is proved', proof.transaction, payment.transaction],
    ['the height of the proof', proof.height, payment.height],
    ['agreement on block and state', agree(agreement), true],
  ];
  return checks
    .filter(([, found, expected]) => !isDeepStrictEqual(found, expected))
    .map(([what, found, expected]) => ({ what, found, expected }));
}

/** Throws DEMO_RESULT_WRONG, naming everything that differs. */
export function checkStory(story: Story): void {
  const differences = differencesOf(story);
  if (differences.length === 0) return;
  const told = differences.map(
    ({ what, found, expected }) => `${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`,
  );
  throw new FaultError({
    code: 'DEMO_RESULT_WRONG',
    message: `the story did not end as it must: ${told.join('; ')}`,
    hint: 'please report it, with the files node.log of the nodes',
    data: { differences },
  });
}
