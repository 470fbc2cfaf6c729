/** Many seeds of one engine, one after the other: what they reached, what it cost, and the first that broke something. */
import { sha256Hex } from '#crypto';
import { engines } from '../../consensus/registry.ts';
import { utf8 } from '../../ledger/types/bytes.ts';
import { runTrial, type TrialOptions } from './trial.ts';
import { Violation } from './violation.ts';

export interface Failure {
  readonly seed: number;
  readonly violation: string;
}

/** What a campaign found, as it is printed. */
export interface Summary {
  readonly engine: string;
  readonly seeds: number;
  readonly simulatedHours: number;
  readonly cpuSeconds: number;
  /** Simulated hours for each hour of processor time. */
  readonly speed: number;
  readonly events: number;
  readonly blocks: number;
  /** How often each kind of fault happened, and each rare thing was reached. */
  readonly faults: Readonly<Record<string, number>>;
  readonly reached: Readonly<Record<string, number>>;
  readonly messagesPerBlock: Readonly<Record<string, number>>;
  /** Over everything that happened in every run: the same seeds give the same. */
  readonly digest: string;
  readonly failure: Failure | null;
}

export const engineNames: readonly string[] = [...engines.keys()];

interface Tally {
  seeds: number;
  simulatedMs: number;
  events: number;
  blocks: number;
  readonly faults: Map<string, number>;
  readonly reached: Map<string, number>;
  readonly sent: Map<string, number>;
  digest: string;
  failure: Failure | null;
}

/** Runs `count` seeds from `first` on, and ends with the first violation. */
export function runCampaign(
  engine: string,
  first: number,
  count: number,
  progress: (done: number) => void = () => {},
  options: TrialOptions = {},
): Summary {
  const tally: Tally = {
    ...{ seeds: 0, simulatedMs: 0, events: 0, blocks: 0 },
    ...{ faults: new Map(), reached: new Map(), sent: new Map(), digest: '', failure: null },
  };
  const before = process.cpuUsage();
  for (let seed = first; seed < first + count && tally.failure === null; seed++) {
    runSeed(tally, engine, seed, options);
    progress(tally.seeds);
  }
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  const simulatedHours = tally.simulatedMs / 3_600_000;
  return {
    ...{ engine, seeds: tally.seeds, simulatedHours, cpuSeconds, speed: (simulatedHours / cpuSeconds) * 3600 },
    ...{ events: tally.events, blocks: tally.blocks },
    ...{ faults: Object.fromEntries(tally.faults), reached: Object.fromEntries(tally.reached) },
    messagesPerBlock: Object.fromEntries(
      [...tally.sent].map(([type, count]) => [type, count / Math.max(1, tally.blocks)]),
    ),
    ...{ digest: tally.digest, failure: tally.failure },
  };
}

function runSeed(tally: Tally, engine: string, seed: number, options: TrialOptions): void {
  tally.seeds++;
  try {
    const trial = runTrial(engine, seed, options);
    tally.simulatedMs += trial.simulatedMs;
    tally.events += trial.world.steps;
    tally.blocks += trial.world.checks.decided.size;
    add(tally.faults, trial.world.choices.made);
    add(tally.reached, trial.world.checks.marks);
    add(tally.sent, trial.world.checks.sent);
    tally.digest = sha256Hex(utf8(`${tally.digest}${trial.digest}`));
  } catch (error) {
    tally.failure = { seed, violation: violationOf(error) };
  }
}

/** As many as tell which assertion of which engine it was. */
const FRAMES_MAX = 4;

/** An invariant of the product that broke is a violation as well; it says where. */
export function violationOf(error: unknown): string {
  if (error instanceof Violation) return error.message;
  if (!(error instanceof Error)) return String(error);
  const frames = [...(error.stack ?? '').matchAll(/at (\S+) \(.*\/(\w+\/[\w.-]+:\d+)/g)].map(
    frame => `${frame[1]} ${frame[2]}`,
  );
  return `${error.name}: ${error.message} (${frames.slice(0, FRAMES_MAX).join(', ')})`;
}

function add(sums: Map<string, number>, more: ReadonlyMap<string, number>): void {
  for (const [name, count] of more) sums.set(name, (sums.get(name) ?? 0) + count);
}
