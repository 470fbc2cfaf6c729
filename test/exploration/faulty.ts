/** Engines with a bug planted around them, to show that an exploration finds what it is there to find. */
import type { Message } from '../../consensus/bft/messages.ts';
import type { ConsensusCore, CoreModule, Effect } from '../../consensus/core.ts';

/** The same engine with its effects changed on their way out. */
function withEffects<M>(module: CoreModule<M>, change: (effects: Effect<M>[]) => Effect<M>[]): CoreModule<M> {
  const create: CoreModule<M>['create'] = deps => {
    const core: ConsensusCore<M> = module.create(deps);
    return {
      start: (now, resume) => change(core.start(now, resume)),
      step: (now, event) => change(core.step(now, event)),
      claims: message => core.claims(message),
      status: () => core.status(),
      digest: () => core.digest(),
    };
  };
  return { ...module, create };
}

/** Speaks first and writes down what it promised afterwards. */
export const speaksFirst = <M>(module: CoreModule<M>): CoreModule<M> =>
  withEffects(module, effects => [
    ...effects.filter(each => each.type !== 'persist'),
    ...effects.filter(each => each.type === 'persist'),
  ]);

/** Writes nothing down after its start. */
export const forgets = <M>(module: CoreModule<M>): CoreModule<M> =>
  withEffects(module, effects => effects.filter(each => each.type !== 'persist' || each.blocks.length === 0));

/** Leaves a view without a word about what it had prepared there. */
export const hidesPrepared = (module: CoreModule<Message>): CoreModule<Message> =>
  withEffects(module, effects =>
    effects.map(each =>
      each.type === 'send' && each.message.type === 'round-change'
        ? { ...each, message: { ...each.message, prepared: null } }
        : each,
    ),
  );
