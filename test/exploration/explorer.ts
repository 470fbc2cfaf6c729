/**
 * Breadth-first over all states of a small network of real cores. What was said is on the network for ever and may be
 * given to anyone, in any order, again and again, or never: loss, delay, reordering and duplication in one. A state of the
 * network is then no more than the tuple of its nodes' states, since each of these knows what that node has said.
 *
 * Reduction. A choice that others see nothing of (a vote noted, not yet a quorum) commutes with everything the other nodes
 * do and stays possible for ever, so it is put off until the same node does something visible: says a new word, adopts, or
 * crashes. One move of the network is a silent path of one node and the visible choice at its end; a silent choice that
 * could as well come after the visible one is left for later. Every sequence of visible choices is still taken, and the
 * checks look at nothing else; `reduce: false` takes every choice by itself, and a test compares the two.
 */
import type { CoreModule, Params } from '../../consensus/core.ts';
import type { NodeId } from '../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';
import { type Adoption, newScene, type Packet, type Scene, type Seat, Violation } from './host.ts';
import {
  type Bounds,
  type Choice,
  choiceName,
  crashesWithin,
  firstState,
  type LocalState,
  type Locals,
  newLocals,
  next,
  type StatementOf,
} from './local-states.ts';
import { newTable, numberOf, rowAt, type TupleTable } from './tuple-table.ts';

export interface Plan<M> {
  readonly module: CoreModule<M>;
  readonly validators: ValidatorSet;
  /** Indices of validators that exist twice under one key: Byzantine, each half by itself following the protocol. */
  readonly twins: readonly number[];
  /** Of the twins those that lead nothing within the bounds: which of the two is which makes no difference then. */
  readonly alike: readonly number[];
  /** Indices of validators that are down throughout. */
  readonly down: readonly number[];
  readonly heightMax: number;
  readonly bounds: Bounds;
  /** Crashes of all nodes together. */
  readonly crashesMax: number;
  /** Whether a message takes part in the exploration. */
  readonly matters: (message: M) => boolean;
  readonly statementOf: StatementOf<M>;
  /** Parameters other than those that are used else. */
  readonly params: Partial<Params>;
  /** What must hold of all that was said; the complaint where it does not. */
  readonly invariant: (said: readonly Packet<M>[], scene: Scene<M>) => string | null;
  readonly reduce: boolean;
  /** The exploration stops, incomplete, after this many states. */
  readonly statesMax: number;
}

export interface Report {
  readonly complete: boolean;
  /** Distinct states of the network. */
  readonly states: number;
  /** Moves taken, those to known states too. */
  readonly moves: number;
  /** Distinct states of single nodes. */
  readonly nodeStates: number;
  /** The longest shortest way to a state, in moves. */
  readonly depth: number;
  /** States in which every honest node is done. */
  readonly decided: number;
  readonly packets: number;
  readonly violation: { readonly what: string; readonly steps: readonly string[] } | null;
}

interface Move {
  readonly state: LocalState;
  readonly choices: readonly Choice[];
}

interface Exploration<M> {
  readonly plan: Plan<M>;
  readonly scene: Scene<M>;
  readonly locals: Locals<M>;
  readonly seats: readonly Seat[];
  readonly table: TupleTable;
  readonly parents: number[];
  readonly depths: number[];
  readonly movesOf: Map<string, readonly Move[]>;
  readonly judged: Map<string, string | null>;
}

export function explore<M>(
  plan: Plan<M>,
  onState: (states: readonly LocalState[], scene: Scene<M>) => void = () => {},
): Report {
  const run = begin(plan);
  const { table, parents, depths, locals, scene } = run;
  let moves = 0;
  let decided = 0;
  let violation: Report['violation'] = null;
  let at = 0;
  for (; at < table.count && table.count < plan.statesMax && violation === null; at++) {
    const states = statesAt(run, at);
    onState(states, scene);
    if (honest(run, states).every(each => each.done)) decided++;
    try {
      const said = saidIn(states);
      for (let seat = 0; seat < states.length; seat++) {
        for (const move of movesFrom(run, states[seat]!, said, canCrash(run, states))) {
          moves++;
          const before = table.count;
          const number = numberOf(table, canonical(run, rowWith(states, seat, move.state)));
          if (number !== before) continue;
          parents.push(at);
          depths.push(depths[at]! + 1);
          const complaint = judge(run, number);
          if (complaint !== null) throw new Violation(complaint);
        }
      }
    } catch (error) {
      violation = violationOf(run, at, error);
    }
  }
  return {
    complete: at === table.count && violation === null,
    states: table.count,
    moves,
    nodeStates: locals.states.length,
    depth: depths.at(-1)!,
    decided,
    packets: scene.packets.length,
    violation,
  };
}

function begin<M>(plan: Plan<M>): Exploration<M> {
  const { validators, twins, alike, down, bounds } = plan;
  const shared = new Set<NodeId>(twins.map(i => validators[i]!.key));
  const scene = newScene(plan.module, validators, shared, plan.matters, plan.params, plan.heightMax);
  const locals = newLocals(scene, bounds, plan.statementOf);
  const first = validators.map(({ key }, i): Seat => ({ key, twin: alike.includes(i) ? null : 0 }));
  const second = twins.map(i => (alike.includes(i) ? first[i]! : { ...first[i]!, twin: 1 }));
  const seats = [...first.filter((_, i) => !down.includes(i)), ...second];
  const table = newTable(seats.length);
  const run: Exploration<M> = {
    plan,
    scene,
    locals,
    seats,
    table,
    parents: [-1],
    depths: [0],
    movesOf: new Map(),
    judged: new Map(),
  };
  const states = seats.map(seat => firstState(locals, seat).id);
  numberOf(table, canonical(run, states));
  return run;
}

const statesAt = <M>({ table, locals }: Exploration<M>, number: number): LocalState[] =>
  rowAt(table, number).map(id => locals.states[id]!);

const rowWith = (states: readonly LocalState[], seat: number, state: LocalState): number[] =>
  states.map((each, i) => (i === seat ? state.id : each.id));

const honest = <M>({ scene }: Exploration<M>, states: readonly LocalState[]): readonly LocalState[] =>
  states.filter(each => !scene.shared.has(each.seat.key));

/** The row, or its image with the nodes of one seat in ascending order of state: they are each other's image. */
function canonical<M>({ seats }: Exploration<M>, row: number[]): number[] {
  for (let i = 0; i < row.length; i++) {
    for (let j = i + 1; j < row.length; j++) {
      if (seats[i] === seats[j] && row[i]! > row[j]!) [row[i], row[j]] = [row[j]!, row[i]!];
    }
  }
  return row;
}

/** All that was said, in ascending order of packet. */
function saidIn(states: readonly LocalState[]): readonly number[] {
  const said = new Set<number>();
  for (const { sent } of states) for (const id of sent) said.add(id);
  return [...said].sort((a, b) => a - b);
}

/** Agreement, and what the engine holds of the words of all. */
function judge<M>(run: Exploration<M>, number: number): string | null {
  const states = statesAt(run, number);
  const chains: (readonly Adoption[])[] = honest(run, states).map(each => each.adopted);
  for (let height = 0; height < run.plan.heightMax; height++) {
    const blocks = new Set(chains.flatMap(chain => chain[height]?.block ?? []));
    if (blocks.size > 1) return `two blocks at height ${height + 1}`;
  }
  const said = saidIn(states);
  const name = said.join();
  let complaint = run.judged.get(name);
  if (complaint === undefined) {
    complaint = run.plan.invariant(
      said.map(id => run.scene.packets[id]!),
      run.scene,
    );
    run.judged.set(name, complaint);
  }
  return complaint;
}

/** What `state` may choose while `said` is on the network. */
function choicesOf<M>({ scene }: Exploration<M>, state: LocalState, said: readonly number[]): Choice[] {
  if (state.done) return [];
  const choices: Choice[] = state.timers.map(timer => ({ type: 'timeout', timer }));
  for (const id of said) {
    const { to } = scene.packets[id]!;
    if (to === 'all' || to.includes(state.seat.key)) choices.push({ type: 'packet', id });
  }
  return choices;
}

const canCrash = <M>({ plan }: Exploration<M>, states: readonly LocalState[]): boolean =>
  states.reduce((sum, each) => sum + each.born.life, 0) < plan.crashesMax;

function movesFrom<M>(
  run: Exploration<M>,
  state: LocalState,
  said: readonly number[],
  crashes: boolean,
): readonly Move[] {
  const choices = choicesOf(run, state, said);
  const name = `${state.id} ${crashes} ${choices.map(choiceName).join()}`;
  const known = run.movesOf.get(name);
  if (known !== undefined) return known;
  const moves = run.plan.reduce ? visibleMoves(run, state, said, crashes) : singleMoves(run, state, choices, crashes);
  run.movesOf.set(name, moves);
  return moves;
}

/** The choices, and where it may still happen, the power cuts before, within and after them. */
function withCrashes<M>({ locals }: Exploration<M>, state: LocalState, choices: Choice[], crashes: boolean): Choice[] {
  if (state.done || !crashes) return choices;
  const within = choices.flatMap(choice => (choice.type === 'crash' ? [] : crashesWithin(locals, state, choice)));
  return [...choices, ...within, { type: 'crash', of: null, effects: 0 }];
}

function singleMoves<M>(run: Exploration<M>, state: LocalState, choices: Choice[], crashes: boolean): Move[] {
  const moves: Move[] = [];
  for (const choice of withCrashes(run, state, choices, crashes)) {
    const after = attempt(run, state, choice, []);
    if (after !== null && after !== state) moves.push({ state: after, choices: [choice] });
  }
  return moves;
}

/** A core that broke a rule, or threw, at the end of `choices`. */
class Failure extends Error {
  override readonly name = 'Failure';
  readonly seat: Seat;
  readonly choices: readonly Choice[];
  constructor(message: string, seat: Seat, choices: readonly Choice[]) {
    super(message);
    this.seat = seat;
    this.choices = choices;
  }
}

function attempt<M>(
  { locals }: Exploration<M>,
  state: LocalState,
  choice: Choice,
  path: readonly Choice[],
): LocalState | null {
  try {
    return next(locals, state, choice);
  } catch (error) {
    if (error instanceof Error) throw new Failure(error.message, state.seat, [...path, choice]);
    throw error;
  }
}

interface Silent {
  readonly state: LocalState;
  readonly path: readonly Choice[];
  /** The silent choices that led here, each with the state before it. */
  readonly from: { readonly state: LocalState; readonly choice: Choice }[];
}

function visibleMoves<M>(run: Exploration<M>, start: LocalState, said: readonly number[], crashes: boolean): Move[] {
  const { locals } = run;
  const silent = new Map<LocalState, Silent>([[start, { state: start, path: [], from: [] }]]);
  const moves = new Map<LocalState, Move>();
  for (const each of silent.values()) {
    const { state, path } = each;
    for (const choice of withCrashes(run, state, choicesOf(run, state, said), crashes)) {
      const after = attempt(run, state, choice, path);
      if (after === null || after === state) continue;
      if (after.face === start.face) {
        const there = silent.get(after);
        if (there === undefined)
          silent.set(after, { state: after, path: [...path, choice], from: [{ state, choice }] });
        else there.from.push({ state, choice });
      } else if (!moves.has(after) && !couldComeFirst(locals, each, choice, after)) {
        moves.set(after, { state: after, choices: [...path, choice] });
      }
    }
  }
  return [...moves.values()];
}

/** Whether the visible choice is possible before the last silent one, to the same end. */
function couldComeFirst<M>(locals: Locals<M>, { from }: Silent, choice: Choice, after: LocalState): boolean {
  return from.some(({ state, choice: last }) => {
    if (choice.type === 'crash') return false;
    const first =
      choice.type === 'timeout' && !state.timers.includes(choice.timer) ? null : next(locals, state, choice);
    if (first === null || first.face === state.face || first.done) return first === after;
    return next(locals, first, last) === after;
  });
}

/** Where a core failed, or the state that was just found is wrong. */
function violationOf<M>(run: Exploration<M>, at: number, error: unknown): Report['violation'] {
  if (error instanceof Failure) {
    const { seat, choices, message } = error;
    const name = run.plan.validators.findIndex(each => each.key === seat.key);
    return { what: message, steps: [...stepsTo(run, at), `${name}: ${describe(run, choices)}`] };
  }
  if (!(error instanceof Violation)) throw error;
  return { what: error.message, steps: stepsTo(run, run.table.count - 1) };
}

/** How the network comes to a state, a line for each move. */
function stepsTo<M>(run: Exploration<M>, number: number): string[] {
  const lines: string[] = [];
  for (let at = number; at > 0; at = run.parents[at]!) {
    lines.push(stepBetween(run, statesAt(run, run.parents[at]!), rowAt(run.table, at)));
  }
  return lines.reverse();
}

function stepBetween<M>(run: Exploration<M>, before: readonly LocalState[], after: readonly number[]): string {
  for (const [seat, state] of before.entries()) {
    for (const move of movesFrom(run, state, saidIn(before), canCrash(run, before))) {
      const row = canonical(run, rowWith(before, seat, move.state));
      if (row.every((id, i) => id === after[i])) return `${seatName(run, seat)}: ${describe(run, move.choices)}`;
    }
  }
  throw new Error('no move leads there');
}

function seatName<M>({ plan, seats }: Exploration<M>, seat: number): string {
  const { key, twin } = seats[seat]!;
  return `${plan.validators.findIndex(each => each.key === key)}${twin === 1 ? ' (twin)' : ''}`;
}

const describe = <M>(run: Exploration<M>, choices: readonly Choice[]): string =>
  choices.map(each => describeChoice(run, each)).join('; ');

function describeChoice<M>(run: Exploration<M>, choice: Choice): string {
  switch (choice.type) {
    case 'packet': {
      const { from, message } = run.scene.packets[choice.id]!;
      const { type, view, block } = message as { type?: string; view?: number; block?: string };
      const sender = run.plan.validators.findIndex(each => each.key === from);
      return `${sender} says ${type ?? 'p'}${view === undefined ? '' : ` in ${view}`}${block === undefined ? '' : ` ${block.slice(0, 6)}`}`;
    }
    case 'timeout':
      return `timer ${choice.timer}`;
    case 'crash':
      return choice.of === null ? 'crash' : `${describeChoice(run, choice.of)}, crash after ${choice.effects} effects`;
  }
}
