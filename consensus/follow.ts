/** What engines of instant finality do alike across heights: answering those who are behind, and catching up with who is ahead. */
import type { Height, Millis, NodeId } from '../ledger/types/ids.ts';
import type { ValidatorSet } from '../ledger/types/validator.ts';
import type { Params } from './core.ts';
import { type Asking, setTimer } from './machine.ts';

/** The one slot of all who are no validators, so that strangers cannot make the table grow. */
export const STRANGER = 'stranger';

interface Paced<M> extends Asking<M> {
  readonly params: Params;
}

interface Answering<M> extends Paced<M> {
  /** When each sender was last answered. */
  readonly answeredAt: Map<NodeId | typeof STRANGER, Millis>;
}

interface Following<M> extends Paced<M> {
  readonly self: NodeId | null;
  readonly head: { readonly header: { readonly height: Height } };
  readonly validators: ValidatorSet;
  /** The greatest height that each validator was heard to have final. */
  readonly finals: Map<NodeId, Height>;
}

export const quarter = ({ params }: { readonly params: Params }): Millis => Math.ceil(params.viewTimeoutMs / 4);

/** Whether `to` may be answered now: once per quarter of the base timeout, so that answers never outgrow questions. */
export function mayAnswer<M>(state: Answering<M>, to: NodeId, isKnown: boolean): boolean {
  const slot = isKnown ? to : STRANGER;
  const last = state.answeredAt.get(slot);
  if (last !== undefined && state.now < last + quarter(state)) return false;
  state.answeredAt.set(slot, state.now);
  return true;
}

/**
 * Asks for block sync while others are ahead: at once when two heights lie between, since that is not a message on its
 * way; one height gets the time to come by itself.
 */
export function pursue<M>(state: Paced<M>, lag: number, request: () => void): void {
  if (lag <= 0) setTimer(state, 'sync', null);
  else if (!state.timers.has('sync')) {
    if (lag > 1) request();
    else setTimer(state, 'sync', state.now + quarter(state));
  }
}

export function syncFrom<M>(state: Paced<M>, height: Height, from: readonly NodeId[]): void {
  state.effects.push({ type: 'sync', height, from });
  setTimer(state, 'sync', state.now + state.params.viewTimeoutMs);
}

/** Asks the validators who have `height` final for it, where it is not final here. */
export function syncTo<M>(state: Following<M>, height: Height): void {
  if (height <= state.head.header.height) return;
  const { validators, finals } = state;
  const from = validators.filter(each => (finals.get(each.key) ?? -1) >= height).map(each => each.key);
  syncFrom(state, height, from);
}

export function noteFinal<M>({ self, validators, finals }: Following<M>, from: NodeId, height: Height): void {
  if (from === self || !validators.some(each => each.key === from)) return;
  if (height > (finals.get(from) ?? -1)) finals.set(from, height);
}
