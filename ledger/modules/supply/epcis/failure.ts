import { err, ok, type Result } from '../../../types/errors.ts';

/** Why an event or document is refused for its form: a code of `refusals.ts` and the field or id it concerns. */
export interface FormError {
  readonly code:
    | 'BAD_JSON'
    | 'BAD_EVENT'
    | 'BAD_TIME'
    | 'BAD_ID'
    | 'BAD_CHECK_DIGIT'
    | 'BAD_QUANTITY'
    | 'BAD_CONTEXT'
    | 'BAD_IGNORE_FIELD'
    | 'UNKNOWN_CONTEXT'
    | 'UNKNOWN_EVENT_TYPE';
  readonly concerns: string;
}

/** Thrown inside a reader and caught by {@link reading}; nothing else may catch it. */
class FormFailure extends Error {
  readonly form: FormError;

  constructor(form: FormError) {
    super(form.code);
    this.form = form;
  }
}

/** Refuses what is being read. */
export function fail(code: FormError['code'], concerns: string): never {
  throw new FormFailure({ code, concerns: concerns.slice(0, 200).toWellFormed() });
}

/** Runs a reader of input from outside: what it refuses becomes an error, anything else it throws is a bug. */
export function reading<T>(read: () => T): Result<T, FormError> {
  try {
    return ok(read());
  } catch (error) {
    if (!(error instanceof FormFailure)) throw error;
    return err(error.form);
  }
}
