/** What one seed came to, as it travels from the thread that ran it. */
import { runTrial, type TrialOptions } from './trial.ts';
import { Violation } from './violation.ts';

export interface Outcome {
  readonly seed: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly blocks: number;
  /** Transactions that nodes took in while there were faults. */
  readonly submitted: number;
  /** How often each kind of fault happened, each rare thing was reached, and a message of each type was sent. */
  readonly faults: ReadonlyMap<string, number>;
  readonly reached: ReadonlyMap<string, number>;
  readonly sent: ReadonlyMap<string, number>;
  /** Over everything that happened; empty where something broke. */
  readonly digest: string;
  readonly violation: string | null;
}

export function outcomeOf(engine: string, seed: number, options: Pick<TrialOptions, 'faultMs'>): Outcome {
  try {
    const { simulatedMs, submitted, digest, world } = runTrial(engine, seed, options);
    const { steps, checks, choices } = world;
    return {
      ...{ seed, simulatedMs, events: steps, blocks: checks.decided.size, submitted },
      ...{ faults: choices.made, reached: checks.marks, sent: checks.sent, digest, violation: null },
    };
  } catch (error) {
    const none: ReadonlyMap<string, number> = new Map();
    return {
      ...{ seed, simulatedMs: 0, events: 0, blocks: 0, submitted: 0 },
      ...{ faults: none, reached: none, sent: none, digest: '', violation: violationOf(error) },
    };
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
