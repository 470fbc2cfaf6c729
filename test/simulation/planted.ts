/** Engines with a bug planted around them, to show that a campaign notices: each is the real engine but for one thing. */
import type { Message } from '../../consensus/bft/messages.ts';
import type { Config, ConsensusCore, CoreModule, Effect, Event, Resume } from '../../consensus/core.ts';

type Module = CoreModule<unknown>;

interface Changes {
  resume?(resume: Resume): Resume;
  event?(event: Event<unknown>): Event<unknown>;
  effects?(effects: Effect<unknown>[]): Effect<unknown>[];
}

const same = <T>(value: T): T => value;

/** The engine with what goes into it and what comes out of it changed on the way. */
function changed(module: Module, of: (self: Parameters<Module['create']>[0]['self']) => Changes): Module {
  const create: Module['create'] = deps => {
    const core: ConsensusCore<unknown> = module.create(deps);
    const { resume = same, event = same, effects = same } = of(deps.self);
    return {
      start: (now, from) => effects(core.start(now, resume(from))),
      step: (now, next) => effects(core.step(now, event(next))),
      claims: message => core.claims(message),
      status: () => core.status(),
      digest: () => core.digest(),
    };
  };
  return { ...module, create };
}

/** After a restart it votes as if it had never voted. */
export const forgetsItsVotes = (module: Module): Module =>
  changed(module, () => ({ resume: resume => ({ ...resume, records: new Map(), votesLost: true }) }));

/** Counts itself three times, in the total too: of four validators of power 1, three are 5 of 6. Of three, itself and one are 4 of 5. */
export const countsItselfThrice = (module: Module): Module =>
  changed(module, self => {
    const skewed = ({ validators }: Config): Config => ({
      validators: validators.map(each => (each.key === self ? { ...each, power: 3 * each.power } : each)),
    });
    return {
      resume: resume => ({ ...resume, config: skewed(resume.config) }),
      event(event) {
        if (event.type === 'applied') return { ...event, config: skewed(event.config) };
        return event.type === 'validated' && event.next !== null ? { ...event, next: skewed(event.next) } : event;
      },
    };
  });

/**
 * Leaves a view without a word of what it had prepared there, so that the next leader need not repeat it; and does not tell those
 * who are behind what was decided, which would keep most of them from deciding otherwise.
 */
export const hidesWhatItPrepared = (module: Module): Module =>
  changed(module, () => ({
    effects: effects =>
      effects.flatMap((each): Effect<unknown>[] => {
        if (each.type !== 'send') return [each];
        const message = each.message as Message;
        if (message.type === 'decision') return [];
        return message.type === 'round-change' ? [{ ...each, message: { ...message, prepared: null } }] : [each];
      }),
  }));

/** Says everything twice. */
export const saysEverythingTwice = (module: Module): Module =>
  changed(module, () => ({
    effects: effects => effects.flatMap((each): Effect<unknown>[] => (each.type === 'send' ? [each, each] : [each])),
  }));
