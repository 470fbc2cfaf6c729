/** A growing set of rows of small integers, kept in typed arrays: millions of states in memory, numbered as they came. */

const EMPTY_SLOT = -1;
const FNV_PRIME = 0x01000193;
const ROWS_AT_FIRST = 1 << 10;

export interface TupleTable {
  readonly width: number;
  count: number;
  rows: Int32Array;
  slots: Int32Array;
}

export function newTable(width: number): TupleTable {
  return {
    width,
    count: 0,
    rows: new Int32Array(ROWS_AT_FIRST * width),
    slots: new Int32Array(2 * ROWS_AT_FIRST).fill(EMPTY_SLOT),
  };
}

/** The number of `row`, whether or not it was there before: compare with `count` before the call to know. */
export function numberOf(table: TupleTable, row: readonly number[]): number {
  if (2 * (table.count + 1) > table.slots.length) grow(table);
  const { width, rows, slots } = table;
  let slot = slotAt(slots, row, 0, width);
  for (; ; slot = (slot + 1) & (slots.length - 1)) {
    const number = slots[slot]!;
    if (number === EMPTY_SLOT) break;
    let same = true;
    for (let i = 0; i < width && same; i++) same = rows[number * width + i] === row[i];
    if (same) return number;
  }
  const number = table.count++;
  slots[slot] = number;
  for (let i = 0; i < width; i++) rows[number * width + i] = row[i]!;
  return number;
}

export function rowAt({ rows, width }: TupleTable, number: number): number[] {
  return [...rows.subarray(number * width, (number + 1) * width)];
}

function slotAt(slots: Int32Array, row: readonly number[] | Int32Array, from: number, width: number): number {
  let mixed = 0x811c9dc5;
  for (let i = 0; i < width; i++) mixed = Math.imul(mixed ^ row[from + i]!, FNV_PRIME);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) & (slots.length - 1);
}

function grow(table: TupleTable): void {
  const { width } = table;
  const slots = new Int32Array(2 * table.slots.length).fill(EMPTY_SLOT);
  const rows = new Int32Array((slots.length / 2) * width);
  rows.set(table.rows);
  for (let number = 0; number < table.count; number++) {
    let slot = slotAt(slots, rows, number * width, width);
    while (slots[slot] !== EMPTY_SLOT) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = number;
  }
  table.rows = rows;
  table.slots = slots;
}
