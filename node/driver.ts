/**
 * The loop around a consensus core: one event at a time into `step`, its effects out in order.
 *
 * The law it keeps: no effect of a step, nor of any later one, is released before the persists that precede it are durable.
 * Steps may overlap a sync; their effects wait in the outbox. Timers alone are set at once: they promise nothing to
 * anyone, and a timer that the core has cancelled must not fire.
 */
import type { ConsensusCore, Effect, Event, Resume, TimerId } from '../consensus/core.ts';
import type { Millis } from '../ledger/types/ids.ts';

export type PersistEffect = Extract<Effect<never>, { type: 'persist' }>;
/** What is left for the host's components once the driver has seen to persists and timers. */
export type HostEffect<M> = Exclude<Effect<M>, { type: 'persist' | 'timer' }>;

export interface DriverPorts<M> {
  readonly core: ConsensusCore<M>;
  /** Never decreases. */
  now(): Millis;
  /**
   * Called at once, because what is to be persisted may be held here no more when its turn comes: block sync moves the ledger on
   * meanwhile. What it returns is called then, and resolves when everything is durable; a rejection is fatal.
   */
  persist(effect: PersistEffect): () => PromiseLike<void>;
  /** May call {@link Driver.post}, at once or later. A throw is fatal. */
  perform(effect: HostEffect<M>): void;
  /** The invariant broke or the disk did: the node stops. Called once. */
  fatal(error: unknown): void;
  /** The process's own by default. */
  readonly timers?: Timers;
}

/** Where time passes: in a process by itself, in a simulation as it says. */
export interface Timers {
  /** Calls `fire` after so many ms, unless what it answers was called before. */
  set(after: Millis, fire: () => void): () => void;
}

const PROCESS_TIMERS: Timers = {
  set(after, fire) {
    const timer = setTimeout(fire, after);
    return () => clearTimeout(timer);
  },
};

export interface Driver<M> {
  start(resume: Resume): void;
  post(event: Event<M>): void;
  /** Nothing is stepped or released afterwards. */
  stop(): void;
  /** Events and effects that wait now. */
  readonly waiting: number;
}

export function createDriver<M>(ports: DriverPorts<M>): Driver<M> {
  const { core, now, persist, perform, fatal, timers: clock = PROCESS_TIMERS } = ports;
  const events: Event<M>[] = [];
  const outbox: (HostEffect<M> | { readonly type: 'persist'; readonly write: () => PromiseLike<void> })[] = [];
  /** What takes each timer back. */
  const timers = new Map<TimerId, () => void>();
  let running = false;
  let persisting = false;
  let stopped = false;

  function stop(): void {
    stopped = true;
    events.length = 0;
    outbox.length = 0;
    for (const clear of timers.values()) clear();
    timers.clear();
  }

  function fail(error: unknown): void {
    if (stopped) return;
    stop();
    fatal(error);
  }

  function setTimer(timer: TimerId, after: Millis | null): void {
    timers.get(timer)?.();
    timers.delete(timer);
    if (after === null) return;
    const clear = clock.set(after, () => {
      timers.delete(timer);
      post({ type: 'timeout', timer });
    });
    timers.set(timer, clear);
  }

  function take(effects: readonly Effect<M>[]): void {
    for (const effect of effects) {
      if (effect.type === 'timer') setTimer(effect.timer, effect.after);
      else if (effect.type === 'persist') outbox.push({ type: 'persist', write: persist(effect) });
      else outbox.push(effect);
    }
  }

  function release(): void {
    while (!persisting && !stopped) {
      const effect = outbox.shift();
      if (!effect) return;
      if (effect.type === 'persist') {
        persisting = true;
        effect.write().then(() => {
          persisting = false;
          run();
        }, fail);
      } else {
        perform(effect);
      }
    }
  }

  /** Steps and releases until nothing is left to do now. What `perform` posts meanwhile joins the queue. */
  function run(): void {
    if (running || stopped) return;
    running = true;
    try {
      release();
      for (let event = events.shift(); event && !stopped; event = events.shift()) {
        take(core.step(now(), event));
        release();
      }
    } catch (error) {
      fail(error);
    } finally {
      running = false;
    }
  }

  function post(event: Event<M>): void {
    if (stopped) return;
    events.push(event);
    run();
  }

  return {
    start(resume) {
      take(core.start(now(), resume));
      run();
    },
    post,
    stop,
    get waiting() {
      return events.length + outbox.length;
    },
  };
}
