import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crashQuorum, powerOf, reachedBy } from '../../consensus/quorum.ts';
import type { NodeId } from '../../ledger/types/ids.ts';
import { SHARED, sharedPresent, sharedTitle } from '../shared.ts';
import { keyOf } from '../simulation/keys.ts';

/** The cases of a file: a command with a configuration and a value for each voter, and the last line of the answer. */
function cases(
  name: string,
  pattern: RegExp,
): { title: string; voters: readonly NodeId[]; values: string[]; answer: string }[] {
  const text = readFileSync(join(SHARED, 'vectors/etcd-quorum', name), 'utf8');
  return [...text.matchAll(/^(\w+ cfg=.*)\n----\n((?:.+\n?)+)/gm)].map(([, title, answer]) => {
    const [, voters, values] = pattern.exec(title!)!;
    const list = (each: string) => each.split(',').map(one => one.trim());
    return {
      title: title!,
      voters: list(voters!).map(id => keyOf(Number(id))),
      values: list(values!),
      answer: answer!.trimEnd().split('\n').at(-1)!,
    };
  });
}

describe.runIf(sharedPresent)(sharedTitle('majorities of etcd/raft'), () => {
  const commits = sharedPresent ? cases('majority_commit.txt', /cfg=\((.*?)\) idx=\((.*?)\)/) : [];
  const votes = sharedPresent ? cases('majority_vote.txt', /cfg=\((.*?)\) votes=\((.*?)\)/) : [];

  it('are all read', () => {
    expect([commits.length, votes.length]).toEqual([15, 21]);
  });

  it.each(commits)('$title', ({ voters, values, answer }) => {
    const indices = new Map(voters.map((key, i) => [key, values[i] === '_' ? 0 : Number(values[i])]));
    const validators = voters.map(key => ({ key, power: 1 }));
    expect(String(reachedBy(validators, crashQuorum(voters.length), key => indices.get(key)))).toBe(answer);
  });

  it.each(votes)('$title', ({ voters, values, answer }) => {
    const validators = voters.map(key => ({ key, power: 1 }));
    const quorum = crashQuorum(voters.length);
    const power = (...counted: string[]) => powerOf(validators, key => counted.includes(values[voters.indexOf(key)]!));
    const won = power('y') >= quorum;
    const open = power('y', '_') >= quorum;
    expect(won ? 'VoteWon' : open ? 'VotePending' : 'VoteLost').toBe(answer);
  });
});
