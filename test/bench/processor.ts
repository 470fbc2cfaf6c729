/** Processor time of processes, as the system counts it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever the kernel's own clock. */
const TICK_MICROSECONDS = 10_000;
const MAIN = 'main thread';
const NAMES: Readonly<Record<string, string>> = {
  V8Worker: "collector's and compiler's helpers",
  'libuv-worker': 'file and database threads',
  verification: 'verification threads',
};

/** Microseconds since a process began, by what its threads are there for. */
export interface ProcessorTime {
  /** The thread that runs the program's own code. */
  readonly main: number;
  readonly helpers: ReadonlyMap<string, number>;
}

export function processorTime(pid: number): ProcessorTime {
  const times = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    // The name of a thread may hold spaces and brackets: the fields are counted from its end.
    const end = stat.lastIndexOf(')');
    const fields = stat.slice(end + 2).split(' ');
    const name = Number(thread) === pid ? MAIN : (NAMES[stat.slice(stat.indexOf('(') + 1, end)] ?? 'other threads');
    times.set(name, (times.get(name) ?? 0) + (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS);
  }
  const main = times.get(MAIN) ?? 0;
  times.delete(MAIN);
  return { main, helpers: times };
}
