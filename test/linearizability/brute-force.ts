/** The definition of linearizability, tried out: every order of every choice of the operations that may have happened. */
import type { History, Operation } from './history.ts';
import type { Model } from './models.ts';

/** For a handful of operations only: this takes factorial time, and no advice. */
export function isLinearizable<S, I, O>(model: Model<S, I, O>, history: History<I, O>): boolean {
  const parts = Map.groupBy(history, each => model.partOf(each.input));
  return [...parts.values()].every(operations => canFollow(model, model.initial, operations));
}

function canFollow<S, I, O>(model: Model<S, I, O>, state: S, rest: History<I, O>): boolean {
  if (rest.every(each => each.done === null)) return true;
  return rest.some(first => {
    const others = rest.filter(each => each !== first);
    if (others.some(other => endsBefore(other, first))) return false;
    const after = model.step(state, first.input, first.done && { output: first.done.output });
    return after !== null && canFollow(model, after.state, others);
  });
}

const endsBefore = <I, O>(a: Operation<I, O>, b: Operation<I, O>): boolean => a.done !== null && a.done.at < b.call;
