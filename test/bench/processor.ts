/** Processor time of processes, as the system counts it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever the kernel's own clock. */
const TICK_MICROSECONDS = 10_000;

export interface ProcessorTime {
  /** Of the thread that runs the program's own code. */
  readonly main: number;
  /** Of all others: the collector's and the compiler's helpers, the database's, the disk's. */
  readonly helpers: number;
}

/** Microseconds of a process since it began. */
export function processorTime(pid: number): ProcessorTime {
  let main = 0;
  let helpers = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    // The name of the thread may hold spaces and brackets: the fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const time = (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS;
    if (Number(thread) === pid) main += time;
    else helpers += time;
  }
  return { main, helpers };
}
