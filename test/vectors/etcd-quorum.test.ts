import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crashQuorum, powerOf, reachedBy } from '../../consensus/quorum.ts';
import type { NodeId } from '../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';
import { SHARED, sharedPresent, sharedTitle } from '../shared.ts';
import { keyOf } from '../simulation/keys.ts';

interface Case {
  readonly title: string;
  /** One configuration, or the two that must agree while one replaces the other. */
  readonly halves: readonly ValidatorSet[];
  readonly values: ReadonlyMap<NodeId, string>;
  readonly answer: string;
}

const listed = (text: string): string[] => text.split(',').map(each => each.trim());
const voters = (text: string): NodeId[] => listed(text).map(id => keyOf(Number(id)));

/**
 * The cases of a file: a command with one or two configurations and a value for each voter, and the last line of the answer.
 * An empty configuration ("zero") decides nothing by itself: it is left out, and so are the cases of nothing else, since a
 * validator set is never empty here.
 */
function cases(name: string): Case[] {
  const text = readFileSync(join(SHARED, 'vectors/etcd-quorum', name), 'utf8');
  const found: Case[] = [];
  for (const [, title, answer] of text.matchAll(/^((?:committed|vote) cfg=.*)\n----\n((?:.+\n?)+)/gm)) {
    const halves = [...title!.matchAll(/cfgj?=\((.*?)\)/g)].map(match => voters(match[1]!));
    const each = listed(/(?:idx|votes)=\((.*?)\)/.exec(title!)![1]!);
    // A voter of both configurations has one value.
    const keys = [...new Set(halves.flat())];
    found.push({
      title: title!,
      halves: halves.map(each => each.map(key => ({ key, power: 1 }))),
      values: new Map(keys.map((key, i) => [key, each[i]!])),
      answer: answer!.trimEnd().split('\n').at(-1)!,
    });
  }
  return found;
}

/** What a majority of a configuration has reached. */
function committed(half: ValidatorSet, values: Case['values']): number {
  const indexOf = (key: NodeId) => (values.get(key) === '_' ? 0 : Number(values.get(key)));
  return reachedBy(half, crashQuorum(half.length), indexOf)!;
}

function vote(half: ValidatorSet, values: Case['values']): 'VoteWon' | 'VotePending' | 'VoteLost' {
  const power = (...counted: string[]) => powerOf(half, key => counted.includes(values.get(key)!));
  const quorum = crashQuorum(half.length);
  if (power('y') >= quorum) return 'VoteWon';
  return power('y', '_') >= quorum ? 'VotePending' : 'VoteLost';
}

/** The worse of two results: both configurations must agree. */
function worst(results: readonly ReturnType<typeof vote>[]): string {
  if (results.includes('VoteLost')) return 'VoteLost';
  return results.includes('VotePending') ? 'VotePending' : 'VoteWon';
}

describe.runIf(sharedPresent)(sharedTitle('quorums of etcd/raft'), () => {
  const read = (name: string) => (sharedPresent ? cases(name) : []);
  const commits = [...read('majority_commit.txt'), ...read('joint_commit.txt')];
  const votes = [...read('majority_vote.txt'), ...read('joint_vote.txt')];

  it('are all read', () => {
    expect(
      ['majority_commit.txt', 'joint_commit.txt', 'majority_vote.txt', 'joint_vote.txt'].map(each => read(each).length),
    ).toEqual([15, 50, 21, 38]);
  });

  // No engine here has joint configurations (one validator changes at a time), so that only their halves are the product's.
  it.each(commits)('$title', ({ halves, values, answer }) => {
    expect(String(Math.min(...halves.map(half => committed(half, values))))).toBe(answer);
  });

  it.each(votes)('$title', ({ halves, values, answer }) => {
    expect(worst(halves.map(half => vote(half, values)))).toBe(answer);
  });
});
