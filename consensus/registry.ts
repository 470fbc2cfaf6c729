/** The engines by the name that genesis gives them. A new one is a folder and a line here. */
import type { CoreModule } from './core.ts';
import { paxos } from './paxos/core.ts';
import { pbft } from './pbft/core.ts';
import { pos } from './pos/core.ts';
import { pow } from './pow/core.ts';
import { raft } from './raft/core.ts';
import { solo } from './solo/core.ts';

/** Messages stay opaque to the host: what it passes to a core, the same module has decoded. */
const modules = [pbft, pos, raft, paxos, pow, solo] as readonly CoreModule<unknown>[];

export const engines: ReadonlyMap<string, CoreModule<unknown>> = new Map(modules.map(each => [each.spec.name, each]));
