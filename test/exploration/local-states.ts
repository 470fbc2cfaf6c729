/**
 * The states of single nodes, each met once: what a node does with an event depends on nothing but its own state, so
 * every transition runs the core once however many states of the whole network share it. Cores are closures that cannot
 * be copied: one is brought into a state by repeating the events since its last start.
 */

import type { TimerId } from '../../consensus/core.ts';
import { unreachable } from '../../ledger/types/assert.ts';
import {
  type Adoption,
  type Host,
  happen,
  identityOf,
  isDone,
  NEWBORN,
  type Packet,
  type Scene,
  type Seat,
  type Standing,
  startHost,
  Violation,
} from './host.ts';

export type Choice =
  | { readonly type: 'packet'; readonly id: number }
  | { readonly type: 'timeout'; readonly timer: TimerId }
  /** Power is cut after `effects` effects of the choice `of`, or while nothing happens, and comes back at once. */
  | { readonly type: 'crash'; readonly of: Exclude<Choice, { type: 'crash' }> | null; readonly effects: number };

export interface LocalState {
  readonly id: number;
  readonly seat: Seat;
  readonly origin: { readonly before: LocalState; readonly choice: Choice } | null;
  /** What its last start began with. */
  readonly born: Standing;
  readonly timers: readonly TimerId[];
  readonly sent: readonly number[];
  readonly adopted: readonly Adoption[];
  readonly done: boolean;
  readonly view: number;
  /** Names what others can know of it: its words and its chain, and how often it started. */
  readonly face: string;
  /** What it is without the count of what was given to it. */
  readonly bare: string;
  readonly given: ReadonlySet<number>;
  /** What became of each choice; null: it is outside the bounds. */
  readonly after: Map<string, { readonly state: LocalState | null; readonly cuts: readonly number[] }>;
}

export interface Bounds {
  readonly viewMax: number;
  /** The timers that are worth firing: the others only repeat what was said, or wait for the clock. */
  readonly timers: readonly TimerId[];
  /**
   * Where a core draws lots whenever it hears or waits, it is never twice in the same state: then no packet changes it twice in
   * one life, and this many timers fire in it. null: both as often as they like.
   */
  readonly timeoutsMax: number | null;
}

/** What a packet states, and for which slot; null where it states nothing that binds its sender. */
export type StatementOf<M> = (packet: Packet<M>) => { readonly slot: string; readonly said: string } | null;

export interface Locals<M> {
  readonly scene: Scene<M>;
  readonly bounds: Bounds;
  readonly statementOf: StatementOf<M>;
  readonly states: LocalState[];
  readonly byIdentity: Map<string, LocalState>;
  /** Hosts that stand in a state and may be used once. */
  readonly live: Map<number, Host<M>>;
  /** Core steps spent. */
  events: number;
}

/** Live hosts kept: each saves one repetition and holds a core in memory. */
const LIVE_MAX = 4096;

export function newLocals<M>(scene: Scene<M>, bounds: Bounds, statementOf: StatementOf<M>): Locals<M> {
  return { scene, bounds, statementOf, states: [], byIdentity: new Map(), live: new Map(), events: 0 };
}

export const choiceName = (choice: Choice): string => {
  switch (choice.type) {
    case 'packet':
      return `p${choice.id}`;
    case 'timeout':
      return `t${choice.timer}`;
    case 'crash':
      return `c${choice.effects}${choice.of === null ? '' : choiceName(choice.of)}`;
    default:
      return unreachable(choice);
  }
};

export function firstState<M>(locals: Locals<M>, seat: Seat): LocalState {
  return noted(locals, startHost(locals.scene, seat, NEWBORN), null)!;
}

/** The state after `choice`; null where that is outside the bounds. */
export function next<M>(locals: Locals<M>, state: LocalState, choice: Choice): LocalState | null {
  return outcome(locals, state, choice).state;
}

/** The crashes that `choice` may meet on its way and that differ from one before or after it: at the edges of each persist. */
export function crashesWithin<M>(
  locals: Locals<M>,
  state: LocalState,
  choice: Exclude<Choice, { type: 'crash' }>,
): Choice[] {
  return outcome(locals, state, choice).cuts.map(effects => ({ type: 'crash', of: choice, effects }));
}

function outcome<M>(locals: Locals<M>, state: LocalState, choice: Choice) {
  const name = choiceName(choice);
  const known = state.after.get(name);
  if (known !== undefined) return known;
  const again = choice.type === 'packet' && state.given.has(choice.id);
  const result = again ? { state, cuts: [] } : tried(locals, state, choice);
  state.after.set(name, result);
  return result;
}

function tried<M>(locals: Locals<M>, state: LocalState, choice: Choice) {
  try {
    const host = chosen(locals, hostIn(locals, state), choice);
    if (choice.type === 'packet' && identityOf(host) === state.bare) return { state, cuts: [] };
    return { state: noted(locals, host, { before: state, choice }), cuts: cutsOf(host.log) };
  } catch (error) {
    // Two nodes with one key may well drive one another into what cannot be. That ends them, and concerns nobody else.
    if (!locals.scene.shared.has(state.seat.key)) throw error;
    return { state: null, cuts: [] };
  }
}

function chosen<M>(locals: Locals<M>, host: Host<M>, choice: Choice, cutAt?: number): Host<M> {
  locals.events++;
  switch (choice.type) {
    case 'packet': {
      const { from, message, signature } = locals.scene.packets[choice.id]!;
      happen(host, { type: 'message', from, message, signature }, cutAt);
      if (locals.bounds.timeoutsMax !== null) host.given = new Set([...host.given, choice.id]);
      return host;
    }
    case 'timeout':
      happen(host, { type: 'timeout', timer: choice.timer }, cutAt);
      if (locals.bounds.timeoutsMax !== null) host.fired++;
      return host;
    case 'crash': {
      if (choice.of !== null) chosen(locals, host, choice.of, choice.effects);
      const { durable, sent, adopted, life } = host;
      return startHost(host.scene, host.seat, { durable, sent, adopted, life: life + 1 });
    }
    default:
      return unreachable(choice);
  }
}

/** A host in the given state: a live one, or one that repeats the events since the last start. */
function hostIn<M>(locals: Locals<M>, state: LocalState): Host<M> {
  const live = locals.live.get(state.id);
  if (live !== undefined) {
    locals.live.delete(state.id);
    return live;
  }
  const choices: Choice[] = [];
  let from = state;
  while (from.origin !== null && from.origin.choice.type !== 'crash') {
    choices.push(from.origin.choice);
    from = from.origin.before;
  }
  const host = startHost(locals.scene, from.seat, from.born);
  for (const choice of choices.reverse()) chosen(locals, host, choice);
  return host;
}

function cutsOf(log: readonly string[]): number[] {
  const cuts = new Set<number>();
  log.forEach((type, at) => {
    if (type !== 'persist') return;
    if (at > 0) cuts.add(at);
    if (at + 1 < log.length) cuts.add(at + 1);
  });
  return [...cuts];
}

function noted<M>(locals: Locals<M>, host: Host<M>, origin: LocalState['origin']): LocalState | null {
  const { scene, seat, adopted, life } = host;
  const { view } = host.core.status();
  const done = isDone(host);
  if (!done && view > locals.bounds.viewMax) return null;
  if (host.fired > (locals.bounds.timeoutsMax ?? 0)) return null;
  const bare = identityOf(host);
  const given = done ? '' : [...host.given].sort((a, b) => a - b).join();
  const identity = `${seat.key} ${seat.twin} ${bare} ${given} ${host.fired}`;
  const known = locals.byIdentity.get(identity);
  if (known !== undefined) {
    keepLive(locals, known, host);
    return known;
  }
  const sent = [...host.sent].sort((a, b) => a - b);
  if (!scene.shared.has(seat.key)) oneWord(locals, sent);
  const state: LocalState = {
    id: locals.states.length,
    seat,
    origin,
    born: host.born,
    timers: done ? [] : [...host.timers].filter(each => locals.bounds.timers.includes(each)),
    sent,
    adopted,
    done,
    view,
    face: `${sent.join()} ${adopted.map(each => each.block).join()} ${life}`,
    bare,
    given: host.given,
    after: new Map(),
  };
  locals.states.push(state);
  locals.byIdentity.set(identity, state);
  keepLive(locals, state, host);
  return state;
}

function keepLive<M>(locals: Locals<M>, state: LocalState, host: Host<M>): void {
  const { live } = locals;
  if (live.size >= LIVE_MAX) live.delete(live.keys().next().value!);
  if (!state.done) live.set(state.id, host);
}

/** An honest key states one thing for each slot, across its crashes too. */
function oneWord<M>({ scene, statementOf }: Locals<M>, sent: readonly number[]): void {
  const stated = new Map<string, string>();
  for (const id of sent) {
    const statement = statementOf(scene.packets[id]!);
    if (statement === null) continue;
    const { slot, said } = statement;
    if ((stated.get(slot) ?? said) !== said) throw new Violation(`two statements for ${slot}`);
    stated.set(slot, said);
  }
}
