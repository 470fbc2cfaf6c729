import { describe, expect, it } from 'vitest';
import { PAXOS, RAFT } from './crash-engines.ts';
import { explore } from './explorer.ts';
import { hidesPrepared } from './faulty.ts';
import { PBFT } from './pbft.ts';
import { tell } from './tell.ts';

const TWO_VIEWS = { ...PBFT.bounds, viewMax: 1 };

describe('all states of PBFT', () => {
  it.each([
    ['four nodes, one view, two crashes', { ...PBFT, crashesMax: 2 }],
    ["four keys, the leader's used twice, one view", { ...PBFT, twins: [0] }],
    ['four keys, the last used twice, one view, two crashes', { ...PBFT, twins: [3], alike: [3], crashesMax: 2 }],
    ['three of four nodes, two views', { ...PBFT, down: [3], bounds: TWO_VIEWS }],
    ['three of four nodes, two views, one crash', { ...PBFT, down: [3], bounds: TWO_VIEWS, crashesMax: 1 }],
  ])('%s', (title, plan) => {
    const report = explore(plan);
    tell(title, report);
    expect(report).toMatchObject({ violation: null, complete: true });
    expect(report.decided).toBeGreaterThan(0);
  });
});

it('the first million states of PBFT with one of four keys used twice and three crashes', () => {
  const report = explore({ ...PBFT, twins: [3], alike: [3], crashesMax: 3, statesMax: 1_000_000 });
  tell('four keys, the last used twice, three crashes', report);
  expect(report.violation).toBe(null);
  expect(report.states).toBeGreaterThanOrEqual(1_000_000);
});

it('all states of Raft in which each of three nodes loses patience once, in term 1', () => {
  const report = explore(RAFT);
  tell('raft, three nodes, term 1', report);
  expect(report).toMatchObject({ violation: null, complete: true });
  expect(report.decided).toBeGreaterThan(0);
});

it('all states of Raft in which each of three nodes loses patience once in a life, in term 1, with one crash', () => {
  const report = explore({ ...RAFT, crashesMax: 1, statesMax: 20_000_000 });
  tell('raft, three nodes, term 1, one crash', report);
  expect(report).toMatchObject({ violation: null, complete: true });
  expect(report.states).toBeGreaterThan(1_000_000);
  expect(report.decided).toBeGreaterThan(0);
});

it('all states of Raft in which each of three nodes loses patience once, in two terms', () => {
  const report = explore({ ...RAFT, bounds: { ...RAFT.bounds, viewMax: 2 }, statesMax: 2_000_000 });
  tell('raft, three nodes, two terms', report);
  expect(report).toMatchObject({ violation: null, complete: true });
  expect(report.states).toBeGreaterThan(1_000_000);
  expect(report.decided).toBeGreaterThan(0);
});

it('all states of Paxos in which each of three nodes loses patience once in a life, up to ballot 2, with one crash', () => {
  const report = explore({ ...PAXOS, crashesMax: 1 });
  tell('paxos, three nodes, two ballots, one crash', report);
  expect(report).toMatchObject({ violation: null, complete: true });
  expect(report.decided).toBeGreaterThan(0);
});

it('finds a network whose nodes hide what they had prepared', () => {
  const report = explore({ ...PBFT, down: [3], bounds: TWO_VIEWS, module: hidesPrepared(PBFT.module) });
  expect(report.violation?.what).toBe('1/1 prepared another block than 1/0 decided');
});
