import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { byzantineQuorum, honestPower, powerOf } from '../../consensus/quorum.ts';
import { noveltyOf, quorumOf, type Vote, type Votes, withStatement } from '../../consensus/votes.ts';
import { utf8 } from '../../ledger/types/bytes.ts';
import type { BlockId, NodeId } from '../../ledger/types/ids.ts';
import { totalPower, type ValidatorSet } from '../../ledger/types/validator.ts';
import { SHARED, sharedPresent, sharedTitle } from '../shared.ts';
import { keyOf, stubSign } from '../simulation/keys.ts';

/*
 * Traces of a formal specification of vote counting. It keeps votes of every round, tells each result once and has a vote
 * for nothing (nil); an engine here keeps each validator's latest vote, looks at the result after every vote, and has no
 * nil. So each round and phase gets a book of its own, nil is a block like any other, and what is compared is what
 * follows from the votes, not when it is first told.
 */
const FOLDER = join(SHARED, 'vectors/itf-votekeeper');

interface Ballot {
  readonly voter: string;
  readonly phase: string;
  readonly round: number;
  readonly value: string;
}

interface Step {
  readonly ballot: Ballot;
  /** The round that the counter was told it is in. */
  readonly current: number;
  readonly emitted: string;
  readonly emittedRound: unknown;
  readonly evidence: number;
  /** The weight of each value in the ballot's round and phase. */
  readonly weights: ReadonlyMap<string, number>;
}

interface Variant {
  readonly tag: string;
  readonly value: unknown;
}

interface Book {
  readonly valuesWeights: readonly (readonly [Variant, number])[];
}

/** A state of a trace, in plain values. */
interface Recorded {
  readonly weightedVote: {
    readonly value: readonly [
      { readonly srcAddress: string; readonly voteType: Variant; readonly round: number; readonly valueId: Variant },
      weight: number,
      current: number,
    ];
  };
  readonly lastEmitted: Variant;
  readonly bookkeeper: {
    readonly validatorSet: readonly (readonly [string, number])[];
    readonly evidence: readonly unknown[];
    readonly rounds: readonly (readonly [number, { readonly prevotes: Book; readonly precommits: Book }])[];
  };
}

/** ITF writes numbers, tuples, sets and maps as objects with one `#` member; a map becomes a list of pairs. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { '#bigint': digits, '#tup': tuple, '#set': set, '#map': map } = value as Record<string, unknown>;
  return digits !== undefined ? Number(digits) : (tuple ?? set ?? map ?? value);
}

function trace(file: string): { readonly powers: ReadonlyMap<string, number>; readonly steps: readonly Step[] } {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  const { states } = JSON.parse(text, plain) as { states: readonly Record<string, unknown>[] };
  // Variables are named by their module, in some traces.
  const short = (state: Record<string, unknown>): unknown =>
    Object.fromEntries(Object.entries(state).map(([name, value]) => [name.split('::').at(-1), value]));
  const recorded = states.map(each => short(each) as Recorded);
  return { powers: new Map(recorded[0]!.bookkeeper.validatorSet), steps: recorded.slice(1).map(stepOf) };
}

const valueName = ({ tag, value }: Variant): string => (tag === 'Nil' ? 'nil' : String(value));

function stepOf({ weightedVote, lastEmitted, bookkeeper }: Recorded): Step {
  const [{ srcAddress: voter, voteType, round, valueId }, , current] = weightedVote.value;
  const [, { prevotes, precommits }] = bookkeeper.rounds.find(([each]) => each === round)!;
  const { valuesWeights } = voteType.tag === 'Prevote' ? prevotes : precommits;
  return {
    ballot: { voter, phase: voteType.tag, round, value: valueName(valueId) },
    current,
    emitted: lastEmitted.tag.replace('VKOutput', ''),
    emittedRound: [lastEmitted.value].flat()[0],
    evidence: bookkeeper.evidence.length,
    weights: new Map(valuesWeights.map(([value, weight]) => [valueName(value), weight])),
  };
}

interface Count {
  readonly validators: ValidatorSet;
  readonly keys: ReadonlyMap<string, NodeId>;
  readonly books: Map<string, Votes>;
  readonly conflicts: Set<string>;
}

const bookOf = ({ books }: Count, phase: string, round: number): Votes => books.get(`${phase} ${round}`) ?? new Map();

function cast(count: Count, { voter, phase, round, value }: Ballot): void {
  const key = count.keys.get(voter)!;
  const signed = utf8(`${phase} ${round} ${value}`);
  const vote: Vote = { view: round, block: value as BlockId, signed, signature: stubSign(key, signed) };
  const book = bookOf(count, phase, round);
  const novelty = noveltyOf(book, key, vote);
  if (novelty === 'conflict') count.conflicts.add(`${voter} ${phase} ${round} ${value}`);
  else count.books.set(`${phase} ${round}`, withStatement(book, key, vote));
}

const files = sharedPresent ? readdirSync(FOLDER).filter(each => each.endsWith('.itf.json')) : [];

describe.runIf(sharedPresent)(sharedTitle('traces of a specified vote counter'), () => {
  it('are all read', () => {
    expect(files.length).toBe(12);
  });

  it.each(files)('%s', file => {
    const { powers, steps } = trace(file);
    const keys = new Map([...powers.keys()].map((name, i) => [name, keyOf(i + 1)]));
    const validators = [...powers].map(([name, power]) => ({ key: keys.get(name)!, power }));
    const total = totalPower(validators);
    const quorum = byzantineQuorum(total);
    const count: Count = { validators, keys, books: new Map(), conflicts: new Set() };
    for (const { ballot, current, emitted, emittedRound, evidence, weights } of steps) {
      cast(count, ballot);
      expect(count.conflicts.size).toBe(evidence);
      const book = bookOf(count, ballot.phase, ballot.round);
      const found = quorumOf(validators, quorum, book);
      const expected = [...weights].find(([, weight]) => 3 * weight > 2 * total)?.[0] ?? null;
      expect(found?.block ?? null).toBe(expected);
      for (const [value, weight] of weights)
        expect(powerOf(validators, key => book.get(key)?.block === value)).toBe(weight);
      const voted = powerOf(validators, key => book.has(key));
      const both = ['Prevote', 'Precommit'].map(phase => bookOf(count, phase, ballot.round));
      const heard = powerOf(validators, key => both.some(each => each.has(key)));
      const skips = ballot.round > current && heard >= honestPower(total, quorum);
      expect(skips).toBe(emitted === 'Skip');
      if (emitted !== 'No') expect(emittedRound).toBe(ballot.round);
      if (emitted === 'PolkaAny' || emitted === 'PrecommitAny') expect(voted).toBeGreaterThanOrEqual(quorum);
      if (emitted === 'PolkaNil') expect(found?.block).toBe('nil');
      if (emitted === 'PolkaValue' || emitted === 'PrecommitValue') expect(found?.block).toBe(ballot.value);
    }
  });
});
