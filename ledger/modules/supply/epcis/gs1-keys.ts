/**
 * The GS1 keys that name things in events, by their application identifier: the form of their value, where the check digit
 * stands, which qualifiers belong to the key, and which digits say whose prefix it is (GS1 General Specifications §3, GS1
 * Digital Link URI syntax §4, EPC Tag Data Standard §6 and §7).
 */

/** What an id names: one thing, a lot of a class, or a class. */
export type Level = 'instance' | 'lot' | 'class';

export interface KeyForm {
  readonly ai: string;
  /** A short name that older Digital Links use for the identifier. */
  readonly alias: string;
  readonly value: RegExp;
  /** How many digits the check digit ends; 0: the key has none. */
  readonly checked: number;
  /** Where the digits begin that a prefix is compared with: behind the indicator digit, or the filler zero. */
  readonly prefixFrom: 0 | 1;
  /** Qualifiers that are part of the key, and others that a link may carry, which are dropped. */
  readonly qualifiers: readonly string[];
  readonly dropped: readonly string[];
  /** How many characters the value has where it names a class; null: the level follows from the qualifiers or is fixed. */
  readonly classLength: number | null;
  /** The level without qualifiers and not of class length. */
  readonly level: Level;
}

const CHARACTERS = '[!"%&\'()*+,\\-./0-9:;<=>?A-Z_a-z]';

const form = (
  ai: string,
  alias: string,
  value: string,
  rest: Partial<Omit<KeyForm, 'ai' | 'alias' | 'value'>> = {},
): KeyForm => ({
  ai,
  alias,
  value: new RegExp(`^${value}$`),
  checked: 0,
  prefixFrom: 0,
  qualifiers: [],
  dropped: [],
  classLength: null,
  level: 'instance',
  ...rest,
});

const TRADE = { checked: 14, prefixFrom: 1, dropped: ['22', '10'], level: 'class' } as const;

const FORMS: readonly KeyForm[] = [
  form('00', 'sscc', '\\d{18}', { checked: 18, prefixFrom: 1 }),
  form('01', 'gtin', '\\d{14}', { ...TRADE, qualifiers: ['21', '235', '10'] }),
  form('253', 'gdti', `\\d{13}${CHARACTERS}{0,17}`, { checked: 13, classLength: 13 }),
  form('255', 'gcn', '\\d{13}\\d{0,12}', { checked: 13, classLength: 13 }),
  form('401', 'ginc', `\\d{4}${CHARACTERS}{0,26}`),
  form('402', 'gsin', '\\d{17}', { checked: 17 }),
  form('414', 'gln', '\\d{13}', { checked: 13, qualifiers: ['254'] }),
  form('417', 'party', '\\d{13}', { checked: 13 }),
  form('8003', 'grai', `0\\d{13}${CHARACTERS}{0,16}`, { checked: 14, prefixFrom: 1, classLength: 14 }),
  form('8004', 'giai', `\\d{4}${CHARACTERS}{0,26}`),
  form('8006', 'itip', '\\d{18}', { ...TRADE, qualifiers: ['21', '10'] }),
  form('8010', 'cpid', '\\d{4}[#\\-/0-9A-Z]{0,26}', { qualifiers: ['8011'], level: 'class' }),
  form('8017', 'gsrnp', '\\d{18}', { checked: 18, dropped: ['8019'] }),
  form('8018', 'gsrn', '\\d{18}', { checked: 18, dropped: ['8019'] }),
];

const QUALIFIERS: ReadonlyMap<string, RegExp> = new Map([
  ['10', new RegExp(`^${CHARACTERS}{1,20}$`)],
  ['21', new RegExp(`^${CHARACTERS}{1,20}$`)],
  ['22', new RegExp(`^${CHARACTERS}{1,20}$`)],
  ['235', new RegExp(`^${CHARACTERS}{1,28}$`)],
  ['254', new RegExp(`^${CHARACTERS}{1,20}$`)],
  ['8011', /^\d{1,12}$/],
  ['8019', /^\d{1,10}$/],
]);

const QUALIFIER_ALIASES: ReadonlyMap<string, string> = new Map([
  ['ser', '21'],
  ['lot', '10'],
  ['cpv', '22'],
]);

const byName = new Map(FORMS.flatMap(each => [[each.ai, each] as const, [each.alias, each] as const]));

export const keyForm = (name: string): KeyForm | undefined => byName.get(name);

/** The identifier of a qualifier by its number or its older short name, where `value` has its form. */
export function qualifierOf(name: string, value: string): string | null {
  const ai = QUALIFIER_ALIASES.get(name) ?? name;
  return QUALIFIERS.get(ai)?.test(value) ? ai : null;
}

/** The check digit that belongs behind `digits` (GS1 General Specifications §7.9: weights 3 and 1 from the right). */
export function checkDigit(digits: string): string {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) sum += Number(digits[digits.length - 1 - i]) * (i % 2 === 0 ? 3 : 1);
  return ((10 - (sum % 10)) % 10).toString();
}

export const withCheckDigit = (digits: string): string => digits + checkDigit(digits);
