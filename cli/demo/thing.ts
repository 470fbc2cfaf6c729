/** What the things of the demo are called by people. */

export interface Thing {
  /** In the plural, or of what is weighed. */
  readonly kind: string;
  /** What tells it from others of its kind. */
  readonly name: string;
  /** Alone: `bottle 3101`. */
  readonly label: string;
}

const LINK = /^https:\/\/id\.gs1\.org\/0[01]\/(\d+)(?:\/(?:10|21)\/(.+))?$/;
/** Extension digit, company prefix, serial reference, check digit. */
const CARTON_OR_PALLET = /^09521003(\d{9})\d$/;
/** Serial references from here on are pallets. */
const PALLETS_FROM = 9;

/** GTIN → one of its kind, and many. */
const PRODUCTS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  '09521001001014': ['apples', 'apples'],
  '09521002002010': ['juice', 'juice'],
  '09521002002027': ['sauce', 'sauce'],
  '09521003003016': ['bottle', 'bottles'],
  '09521003003023': ['jar', 'jars'],
};

/** Of a canonical Digital Link. What is not of this story keeps its id. */
export function thingOf(id: string): Thing {
  const [, key = '', serial] = LINK.exec(id) ?? [];
  const product = PRODUCTS[key];
  if (product !== undefined && serial !== undefined)
    return { kind: product[1], name: serial, label: `${product[0]} ${serial}` };
  const reference = Number(CARTON_OR_PALLET.exec(key)?.[1] ?? 0);
  if (reference === 0) return { kind: 'other', name: id, label: id };
  const one = reference < PALLETS_FROM ? 'carton' : 'pallet';
  return { kind: `${one}s`, name: String(reference), label: `${one} ${reference}` };
}

const UNITS: Readonly<Record<string, string>> = { KGM: 'kg', LTR: 'l' };

export const amountText = (quantity: string, unit: string | null): string =>
  unit === null ? quantity : `${quantity} ${UNITS[unit] ?? unit}`;
