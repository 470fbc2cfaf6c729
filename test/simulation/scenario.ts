/** What scripted scenarios are made of: a calm world, and what its users and operators do. */
import { expect } from 'vitest';
import type { Change } from '../../ledger/modules/validators/change.ts';
import { propose } from '../../ledger/modules/validators/propose.ts';
import { vote } from '../../ledger/modules/validators/vote.ts';
import type { TransactionId } from '../../ledger/types/ids.ts';
import type { Operation } from '../../ledger/types/transaction.ts';
import { operationOf, transactionOf } from './economy.ts';
import { admit, crash, type Replica, start, submit, tip } from './replica.ts';
import { commonHeight, newWorld, run, type Shape, startAll, type World } from './world.ts';

export const FOUR = [1, 1, 1, 1];

/** Up, and acquainted. */
export function world(shape: Partial<Shape> = {}): World {
  const it = newWorld({ seed: 1, powers: FOUR, ...shape });
  startAll(it);
  run(it, 100);
  return it;
}

const submitted = new WeakMap<World, number>();

/** The number of the next transaction in this world. */
function nextNumber(it: World): number {
  const number = submitted.get(it) ?? 0;
  submitted.set(it, number + 1);
  return number;
}

/** One more transfer, for each of these that is up. */
export function submitTo(it: World, replicas: readonly Replica[] = it.replicas): void {
  const transaction = nextNumber(it);
  for (const replica of replicas) if (replica.life !== null) submit(it, replica, transaction);
}

/** Submits to all and waits until all have it; how long that took. */
export function blockTime(it: World, withinMs: number): number {
  const before = it.now;
  const target = Math.max(...it.replicas.map(each => tip(each).height)) + 1;
  submitTo(it);
  expect(
    run(it, withinMs, () => commonHeight(it) >= target),
    `no block within ${withinMs} ms`,
  ).toBe(true);
  return it.now - before;
}

export const sent = (it: World): number => [...it.checks.sent.values()].reduce((a, b) => a + b, 0);
export const restart = (it: World, replica: Replica): void => {
  crash(it, replica);
  start(it, replica);
};
export const viewOf = (replica: Replica): number => replica.life!.core.status().view;

/** Submits an organisation's transaction to everyone, and answers its id. */
export function bring(it: World, organisation: number, operation: Operation): TransactionId {
  const made = transactionOf(it.economy, organisation, operation, nextNumber(it), it.now);
  for (const replica of it.replicas) admit(it, replica, made);
  return made.id;
}

/** A change of the validator set, proposed by the first of some organisations and voted for by the others. */
export function change(it: World, change: Change, organisations: readonly number[]): void {
  const [first, ...others] = organisations as [number, ...number[]];
  const final = (organisation: number, operation: Operation): TransactionId => {
    const height = commonHeight(it);
    const id = bring(it, organisation, operation);
    run(it, 1000, () => commonHeight(it) > height);
    return id;
  };
  const proposal = final(first, operationOf(propose, { change }));
  for (const each of others) final(each, operationOf(vote, { proposal }));
}
