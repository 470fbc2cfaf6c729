/**
 * What every core has in common, whatever it agrees by: how its state comes to life, what an event leads to, and that what
 * was promised is durable before anyone hears of it.
 */
import { assert } from '../ledger/types/assert.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import type { BlockId, Millis, NodeId } from '../ledger/types/ids.ts';
import type { ConsensusCore, Effect, Event, Resume, Status, TimerId, Write } from './core.ts';

const STARTING: Status = {
  height: 0,
  view: 0,
  phase: 'starting',
  leader: null,
  missing: [],
  voting: false,
  viewChanges: 0,
  equivocations: 0,
  held: 0,
};

export type EventOf<M, T extends Event<M>['type']> = Extract<Event<M>, { type: T }>;

/** The part of a state that asks: the effects of the present step, and the timers that are set. */
export interface Asking<M> {
  now: Millis;
  readonly timers: Map<TimerId, Millis>;
  effects: Effect<M>[];
  /** Whether this step has changed the engine's records. */
  promised: boolean;
  /** The blocks that have to be durable with them. */
  blocks: BlockId[];
}

/** Nothing asked for yet. */
export const silence = <M>(now: Millis): Asking<M> => ({
  ...{ now, timers: new Map<TimerId, Millis>(), effects: [], promised: false, blocks: [] },
});

/** An engine as functions over a state of plain data, which they change. */
export interface Machine<S extends Asking<M>, M> {
  initial(now: Millis, resume: Resume): S;
  /** Takes up what was promised in the last run. */
  begin(state: S, resume: Resume): void;
  /** Events only note facts. */
  readonly on: { readonly [T in Exclude<Event<M>['type'], 'timeout'>]: (state: S, event: EventOf<M, T>) => void };
  /** Timers that are not here only bring the moment at which a rule looks at the clock again. */
  readonly timeouts: Readonly<Record<TimerId, (state: S) => void>>;
  /** After each event: every rule whose condition holds acts once, whatever the order in which facts came. */
  advance(state: S): void;
  /** The engine's records as they are now. */
  writes(state: S): readonly Write[];
  claims(state: S, message: M): ReturnType<ConsensusCore<M>['claims']>;
  status(state: S): Status;
  digest(state: S): Bytes;
}

/** The core of a machine: the one thing that holds its state. */
export function coreOf<S extends Asking<M>, M>(machine: Machine<S, M>): ConsensusCore<M> {
  const { on, timeouts } = machine;
  let state: S | null = null;

  const running = (): S => {
    assert(state !== null, 'the core was not started');
    return state;
  };

  /** What the state asks for, behind the promises that it rests on. */
  function settle(state: S): Effect<M>[] {
    machine.advance(state);
    const { effects, blocks, promised } = state;
    if (promised) effects.unshift({ type: 'persist', writes: machine.writes(state), blocks });
    state.effects = [];
    state.blocks = [];
    state.promised = false;
    return effects;
  }

  return {
    start(now, resume) {
      assert(state === null, 'the core was started before');
      state = machine.initial(now, resume);
      machine.begin(state, resume);
      return settle(state);
    },
    step(now, event) {
      const state = running();
      assert(now >= state.now, 'time went back');
      state.now = now;
      if (event.type === 'timeout') {
        state.timers.delete(event.timer);
        timeouts[event.timer]?.(state);
      } else take(on, state, event);
      return settle(state);
    },
    // Messages and questions may come before the start; there is nothing to do with them yet.
    claims: message => (state === null ? null : machine.claims(state, message)),
    status: () => (state === null ? STARTING : machine.status(state)),
    digest: () => machine.digest(running()),
  };
}

/** A handler for each type, and the one for this: the compiler sees that none is missing, and not that it fits. */
function take<S, E extends { readonly type: string }>(
  handlers: { readonly [T in E['type']]: (state: S, event: Extract<E, { type: T }>) => void },
  state: S,
  event: E,
): void {
  handlers[event.type as E['type']](state, event as never);
}

/** What to do with each type of message. */
export type Hearing<S, M extends { readonly type: string }> = {
  readonly [T in M['type']]: (state: S, from: NodeId, message: Extract<M, { type: T }>, signature: Bytes) => void;
};

export function hear<S, M extends { readonly type: string }>(
  hearing: Hearing<S, M>,
  state: S,
  { from, message, signature }: EventOf<M, 'message'>,
): void {
  hearing[message.type as M['type']](state, from, message as never, signature);
}

/** Since when the oldest transaction has waited that could go into a block; null: none does. */
export function noteWork<M>(state: { work: Millis | null }, { since }: EventOf<M, 'work'>): void {
  state.work = since;
}

export function send<M>(state: Asking<M>, to: readonly NodeId[] | 'all', message: M): void {
  state.effects.push({ type: 'send', to, message });
}

/** Sets a timer to fire at `at`; null cancels it. Says nothing where nothing changes. */
export function setTimer<M>(state: Asking<M>, timer: TimerId, at: Millis | null): void {
  const known = state.timers.get(timer);
  if (known === at || (known === undefined && at === null)) return;
  if (at === null) state.timers.delete(timer);
  else state.timers.set(timer, at);
  state.effects.push({ type: 'timer', timer, after: at === null ? null : Math.max(0, at - state.now) });
}
