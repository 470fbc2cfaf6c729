/** What every core has in common, whatever it agrees by: how its state comes to life, and how it asks for things. */
import { assert } from '../ledger/types/assert.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import type { Millis, NodeId } from '../ledger/types/ids.ts';
import type { ConsensusCore, Effect, Event, Resume, Status, TimerId } from './core.ts';

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

/** An engine as functions over a state of plain data, which they change. */
export interface Machine<S, M> {
  initial(now: Millis, resume: Resume): S;
  /** What is asked for first. */
  begin(state: S, resume: Resume): Effect<M>[];
  step(state: S, now: Millis, event: Event<M>): Effect<M>[];
  claims(state: S, message: M): ReturnType<ConsensusCore<M>['claims']>;
  status(state: S): Status;
  digest(state: S): Bytes;
}

/** The core of a machine: the one thing that holds its state. */
export function coreOf<S, M>(machine: Machine<S, M>): ConsensusCore<M> {
  let state: S | null = null;
  const running = (): S => {
    assert(state !== null, 'the core was not started');
    return state;
  };
  return {
    start(now, resume) {
      assert(state === null, 'the core was started before');
      state = machine.initial(now, resume);
      return machine.begin(state, resume);
    },
    step: (now, event) => machine.step(running(), now, event),
    // Messages and questions may come before the start; there is nothing to do with them yet.
    claims: message => (state === null ? null : machine.claims(state, message)),
    status: () => (state === null ? STARTING : machine.status(state)),
    digest: () => machine.digest(running()),
  };
}

/** The part of a state that asks: effects of the present step, and the timers that are set. */
export interface Asking<M> {
  now: Millis;
  readonly timers: Map<TimerId, Millis>;
  effects: Effect<M>[];
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
