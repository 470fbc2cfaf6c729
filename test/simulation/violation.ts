/** Something that must hold does not. Ends the run. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function holds(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Violation(what());
}
