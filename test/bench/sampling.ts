/** Where the main thread of a node spends its time: samples that V8 takes, read through the inspector of the process. */
import { readFileSync } from 'node:fs';

/** What one call of the inspector answers, and who waits for it. */
interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A function, where it stands, and how often a sample found it at the bottom of the stack. */
interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Since the sample before, in microseconds. */
  readonly timeDeltas: readonly number[];
}

/** One function on the way from the outermost call to the innermost. */
export interface Frame {
  readonly name: string;
  /** Empty for what is no script: the collector, the program, native functions. */
  readonly url: string;
}

export interface Sampling {
  /** Ends it. Calls `visit` for each stack, innermost function first, with the microseconds spent there. */
  stop(visit: (stack: readonly Frame[], microseconds: number) => void): Promise<void>;
}

/** Nodes that start with this say in their log where their inspector listens. */
export const INSPECTED = '--inspect=127.0.0.1:0';
const ADDRESS = /Debugger listening on (ws:\/\/127\.0\.0\.1:\d+\/\S+)/g;
const INTERVAL_MICROSECONDS = 500;

/** Starts to sample the node whose log is at `path`, which runs with {@link INSPECTED}. */
export async function startSampling(path: string): Promise<Sampling> {
  const address = [...readFileSync(path, 'utf8').matchAll(ADDRESS)].at(-1)?.[1];
  if (!address) throw new Error(`${path} does not say where an inspector listens`);
  const inspector = await connect(address);
  await inspector.call('Profiler.enable');
  await inspector.call('Profiler.setSamplingInterval', { interval: INTERVAL_MICROSECONDS });
  await inspector.call('Profiler.start');
  return {
    async stop(visit) {
      const { profile } = (await inspector.call('Profiler.stop')) as { profile: CpuProfile };
      inspector.close();
      walk(profile, visit);
    },
  };
}

async function connect(address: string) {
  const socket = new WebSocket(address);
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data));
    if (error) waiting.get(id)?.reject(new Error(error.message));
    else waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${address}`)), { once: true });
  });
  return {
    call: (method: string, params: object = {}): Promise<unknown> =>
      new Promise((resolve, reject) => {
        waiting.set(++calls, { resolve, reject });
        socket.send(JSON.stringify({ id: calls, method, params }));
      }),
    close: () => socket.close(),
  };
}

function walk({ nodes, samples, timeDeltas }: CpuProfile, visit: Parameters<Sampling['stop']>[0]): void {
  const byId = new Map(nodes.map(node => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map(child => [child, id] as const)));
  const spent = new Map<number, number>();
  // The time up to the next sample belongs to this one.
  for (const [i, id] of samples.entries()) spent.set(id, (spent.get(id) ?? 0) + Math.max(0, timeDeltas[i + 1] ?? 0));
  for (const [leaf, microseconds] of spent) {
    const stack: Frame[] = [];
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const { functionName, url } = byId.get(id)!.callFrame;
      stack.push({ name: functionName, url });
    }
    visit(stack, microseconds);
  }
}
