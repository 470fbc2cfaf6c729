/** What clients of a simulated network see of every engine, under faults: one object that does one thing at a time. */
import { describe, expect, it } from 'vitest';
import { engineNames } from '../simulation/campaign.ts';
import { type Clients, type Reads, startClients } from '../simulation/clients.ts';
import { profileOf } from '../simulation/engines.ts';
import { runTrial } from '../simulation/trial.ts';
import { newWorld, run, startAll, type World } from '../simulation/world.ts';
import { check } from './check.ts';
import type { History } from './history.ts';
import { registers, tokens } from './models.ts';

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const FAULT_MS = 10_000;
/** Under proof of work a transaction is final only when many blocks stand on its own. */
const FAULT_MS_OF_POW = 240_000;

/** As long as it takes for some things to be changed, and read where nothing of it is known, one after the other. */
const CUT_OFF_TIMES = 4;

const durationOf = (engine: string): number => (engine === 'pow' ? FAULT_MS_OF_POW : FAULT_MS);

function underFaults(engine: string, seed: number): Clients {
  const found: Clients[] = [];
  const watch = (world: World): void => {
    found.push(startClients(world, 'settled'));
  };
  runTrial(engine, seed, { faultMs: durationOf(engine), watch });
  return found[0]!;
}

/** Clients of a network in which nothing goes wrong, but that one node hears nothing any more and still answers. */
function besideOneCutOff(engine: string, reads: Reads): Clients {
  const world = newWorld({ engine, seed: 1, powers: profileOf(engine).shapes[0]!, observers: 1 });
  const clients = startClients(world, reads);
  startAll(world);
  world.network.sides = world.replicas.map(each => (each.key === null ? 1 : 0));
  run(world, CUT_OFF_TIMES * durationOf(engine));
  return clients;
}

const isLinearizable = (clients: Clients): boolean =>
  check(tokens, clients.tokens.history()).linearizable && check(registers, clients.registers.history()).linearizable;

/** How many operations of each kind came to an end, and how many did not. */
function count(counts: Map<string, number>, history: History<{ readonly type: string }, unknown>): void {
  for (const { input, done } of history) {
    const name = done === null ? 'unknown' : done.output === false ? `${input.type} refused` : input.type;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}

const WORTH = ['balance', 'transfer', 'transfer refused', 'mint', 'read', 'write', 'cas', 'cas refused', 'unknown'];

describe.each(engineNames)('clients of %s', engine => {
  it(`${SEEDS.length} seeds: what they see is linearizable, tokens and registers`, () => {
    const counts = new Map<string, number>();
    for (const seed of SEEDS) {
      const clients = underFaults(engine, seed);
      const histories = [clients.tokens.history(), clients.registers.history()] as const;
      expect(check(tokens, histories[0]), `seed ${seed}`).toMatchObject({ linearizable: true });
      expect(check(registers, histories[1]), `seed ${seed}`).toMatchObject({ linearizable: true });
      for (const each of histories) count(counts, each);
    }
    for (const name of WORTH) expect(counts.get(name) ?? 0, `never happened: ${name}`).toBeGreaterThan(0);
  });

  it('who reads what a node has that was cut off is found out, who reads after a block of its own is not misled', () => {
    expect(isLinearizable(besideOneCutOff(engine, 'plain'))).toBe(false);
    expect(isLinearizable(besideOneCutOff(engine, 'settled'))).toBe(true);
  });
});
