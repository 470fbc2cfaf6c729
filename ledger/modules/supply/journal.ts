/**
 * What a record did to the state of items, lots and containers, kept so that it can be taken back byte for byte. Taking back
 * is allowed while every entry is as the record left it: each names the record that changed it last.
 */
import { type Bytes, equalBytes } from '../../types/bytes.ts';
import { bytes, type Codec, list, option, struct, text } from '../../types/codec.ts';
import type { Hash } from '../../types/ids.ts';
import { entry, type ModuleState } from '../operation.ts';

/** One entry as it was before the record; null: there was none. */
export interface Effect {
  readonly key: string;
  readonly before: Bytes | null;
}

export interface Journal {
  readonly state: ModuleState;
  /** What differs now from how it was, in order of first writing. */
  effects(): readonly Effect[];
}

const EFFECTS_MAX = 250_000;
const KEY_BYTES_MAX = 2_048;
const VALUE_BYTES_MAX = 4_096;

/** The families of entries that are state of things. Records, histories and links are never taken back: they are shown as void. */
const FAMILIES = /^supply\/(?:item|balance|class|contents|inside|held|transit|lot)\//;

const effect: Codec<Effect> = struct<Effect>({ key: text(KEY_BYTES_MAX), before: option(bytes(VALUE_BYTES_MAX)) });

export const effectsOf = entry(list(effect, EFFECTS_MAX), (hash: Hash) => `supply/effects/${hash}`);

const same = (a: Bytes | null, b: Bytes | null): boolean => (a === null || b === null ? a === b : equalBytes(a, b));

export function journal(state: ModuleState): Journal {
  const before = new Map<string, Bytes | null>();
  return {
    state: {
      get: key => state.get(key),
      set(key, value) {
        if (FAMILIES.test(key) && !before.has(key)) before.set(key, state.get(key));
        state.set(key, value);
      },
    },
    effects: () =>
      [...before]
        .filter(([key, value]) => !same(value, state.get(key)))
        .map(([key, value]) => ({ key, before: value })),
  };
}
