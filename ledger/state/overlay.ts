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

/** One write as it can be taken back: what was written here before it, undefined where nothing was. */
interface Step {
  readonly key: string;
  readonly before: Bytes | null | undefined;
}

const same = (a: Bytes | null, b: Bytes | null): boolean => (a === null || b === null ? a === b : equalBytes(a, b));

/** An empty overlay. `base` must not change under it. */
export function overlay(base: StateReader): Overlay {
  const written = new Map<string, Bytes | null>();
  const journal: Step[] = [];

  return {
    get(key) {
      const value = written.get(key);
      return value === undefined ? base.get(key) : value;
    },
    set(key, value) {
      journal.push({ key, before: written.get(key) });
      written.set(key, value);
    },
    checkpoint: () => journal.length,
    rollback(mark) {
      while (journal.length > mark) {
        const { key, before } = journal.pop()!;
        if (before === undefined) written.delete(key);
        else written.set(key, before);
      }
    },
    writes: () => new Map([...written].filter(([key, value]) => !same(value, base.get(key)))),
    undo() {
      const previous = new Map<string, Bytes | null>();
      for (const [key, value] of written) {
        const before = base.get(key);
        if (!same(value, before)) previous.set(key, before);
      }
      return previous;
    },
  };
}
