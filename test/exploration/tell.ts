import type { Report } from './explorer.ts';

/** Prints the figures of an exploration, for the reader of a test run. */
export function tell(title: string, { states, nodeStates, moves, depth, decided, complete }: Report): void {
  const end = complete ? 'every state' : 'stopped there';
  process.stdout.write(
    `${title}: ${states} states (${nodeStates} of single nodes), ${moves} moves, depth ${depth}, ${decided} decided, ${end}\n`,
  );
}
