/** Either a value or an error with data. Peers and clients are never exceptional: what they send ends in one of these. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/**
 * A fault to show a person or a program: `code` is a stable upper-case word, `message` says what happened and `hint`
 * what to do next. `data` names what the fault concerns.
 */
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A {@link Fault} on its way up through code that throws: the command line and the start of a node, never a peer's input. */
export class FaultError extends Error implements Fault {
  override readonly name = 'FaultError';
  readonly code: string;
  readonly hint: string;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(fault: Fault) {
    super(fault.message);
    this.code = fault.code;
    this.hint = fault.hint;
    this.data = fault.data ?? {};
  }
}
