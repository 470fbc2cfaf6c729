import { type Bytes, equalBytes } from '../types/bytes.ts';

/** Something that state is read from: a tree, or another overlay. */
export interface StateReader {
  /** null is absence. */
  get(key: string): Bytes | null;
}

/**
 * Writes over a state that stays as it is: what a block is executed on. It reads its own writes, and undoes those of a
 * transaction that failed at the cost of what that transaction wrote.
 */
export interface Overlay extends StateReader {
  /** null deletes. */
  set(key: string, value: Bytes | null): void;
  /** A mark to roll back to. Marks nest: rolling back to one also forgets every later one. */
  checkpoint(): number;
  /** Undoes every write since `mark`. */
  rollback(mark: number): void;
  /** What differs from the base now, in order of first writing. */
  writes(): ReadonlyMap<string, Bytes | null>;
  /** The base's values under the keys of {@link writes}: what takes those back. */
  undo(): ReadonlyMap<string, Bytes | null>;
}

/** A key that was touched: what the base has under it, read once, and what is there now. */
interface Cell {
  readonly key: string;
  readonly base: Bytes | null;
  value: Bytes | null;
  written: boolean;
}

const same = (a: Bytes | null, b: Bytes | null): boolean => a === b || (a !== null && b !== null && equalBytes(a, b));

/** An empty overlay. `base` must not change under it. */
export function overlay(base: StateReader): Overlay {
  const cells = new Map<string, Cell>();
  /** In order of first writing. */
  const written: Cell[] = [];
  /** Writes as they can be taken back: which cell was written, and what was there before. */
  const steps: Cell[] = [];
  const befores: (Bytes | null)[] = [];

  function cellOf(key: string): Cell {
    let cell = cells.get(key);
    if (cell === undefined) {
      const value = base.get(key);
      cell = { key, base: value, value, written: false };
      cells.set(key, cell);
    }
    return cell;
  }

  return {
    get: key => cellOf(key).value,
    set(key, value) {
      const cell = cellOf(key);
      if (!cell.written) {
        cell.written = true;
        written.push(cell);
      }
      steps.push(cell);
      befores.push(cell.value);
      cell.value = value;
    },
    checkpoint: () => steps.length,
    rollback(mark) {
      while (steps.length > mark) steps.pop()!.value = befores.pop()!;
    },
    writes() {
      const changes = new Map<string, Bytes | null>();
      for (const { key, base, value } of written) if (!same(value, base)) changes.set(key, value);
      return changes;
    },
    undo() {
      const changes = new Map<string, Bytes | null>();
      for (const { key, base, value } of written) if (!same(value, base)) changes.set(key, base);
      return changes;
    },
  };
}
