import { describe, expect, it } from 'vitest';
import { PAXOS, RAFT } from './crash-engines.ts';
import { explore } from './explorer.ts';
import { forgets, speaksFirst } from './faulty.ts';
import type { Scene } from './host.ts';
import type { LocalState } from './local-states.ts';
import { PBFT } from './pbft.ts';
import { tell } from './tell.ts';
import { newTable, numberOf, rowAt } from './tuple-table.ts';

/** What others know of a node, in words that do not depend on the order of the exploration. */
function faceOf<M>({ sent, adopted, born }: LocalState, { packets }: Scene<M>): string {
  const said = sent.map(id => packets[id]!.name).sort();
  return [...said, ...adopted.map(each => each.block), born.life].join();
}

describe('all states of PBFT in one view', () => {
  it('with one crash', () => {
    const report = explore({ ...PBFT, crashesMax: 1 });
    tell('four nodes, one crash', report);
    expect(report).toMatchObject({ violation: null, complete: true });
    expect(report.states).toBeGreaterThan(10_000);
    expect(report.decided).toBeGreaterThan(0);
  });

  it('with one of four keys used twice', () => {
    const report = explore({ ...PBFT, twins: [3], alike: [3] });
    tell('four keys, the last used twice', report);
    expect(report).toMatchObject({ violation: null, complete: true });
    expect(report.decided).toBeGreaterThan(0);
  });
});

describe('crash-fault engines of three nodes', () => {
  it('Paxos: all states in which each node loses patience once, up to ballot 2', () => {
    const report = explore(PAXOS);
    tell('paxos, three nodes, two ballots', report);
    expect(report).toMatchObject({ violation: null, complete: true });
    expect(report.decided).toBeGreaterThan(0);
  });

  it('Raft: the first states in which each node loses patience once, in term 1', () => {
    const report = explore({ ...RAFT, statesMax: 10_000 });
    tell('raft, three nodes, term 1', report);
    expect(report.violation).toBe(null);
    expect(report.states).toBeGreaterThanOrEqual(10_000);
  });
});

describe('an exploration', () => {
  it.each([
    ['one view', { ...PBFT, down: [3] }],
    ['two crashes', { ...PBFT, down: [3], crashesMax: 2 }],
    ['twins and one node', { ...PBFT, twins: [0], down: [2, 3] }],
  ])('sees the same from outside with its reduction and without: %s', (_, plan) => {
    const seen = [true, false].map(reduce => {
      const faces = new Set<string>();
      const report = explore({ ...plan, reduce }, (states, scene) => {
        faces.add(states.map(each => faceOf(each, scene)).join('|'));
      });
      return { report, faces };
    });
    expect(seen.map(each => each.report.complete)).toEqual([true, true]);
    expect([...seen[0]!.faces].sort()).toEqual([...seen[1]!.faces].sort());
    expect(seen[0]!.report.states).toBeLessThan(seen[1]!.report.states);
  });

  it('comes to the same figures every time', () => {
    const plan = { ...PBFT, down: [3], crashesMax: 2 };
    expect(explore(plan)).toEqual(explore(plan));
  });

  it.each([
    ['speaks before it writes', speaksFirst, 'an honest validator was accused'],
    ['forgets across a crash', forgets, 'two statements for proposal 1 0'],
  ])('finds a node that %s', (_, fault, what) => {
    const report = explore({ ...PBFT, down: [3], crashesMax: 1, module: fault(PBFT.module) });
    expect(report.violation?.what).toBe(what);
    expect(report.violation?.steps.join()).toContain('crash');
  });
});

describe('a table of tuples', () => {
  it('numbers rows as they come, and known rows as before', () => {
    const table = newTable(3);
    for (let i = 0; i < 10_000; i++) expect(numberOf(table, [i % 7, i, i >> 3])).toBe(i);
    for (let i = 0; i < 10_000; i += 37) expect(numberOf(table, [i % 7, i, i >> 3])).toBe(i);
    expect(table.count).toBe(10_000);
    expect(rowAt(table, 4321)).toEqual([4321 % 7, 4321, 4321 >> 3]);
  });
});
