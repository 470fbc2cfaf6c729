/** What went wrong, as the command line says it: one line on stderr, never a stack trace, and an exit code. */
import { CommanderError } from 'commander';
import { InvariantError } from '../ledger/types/assert.ts';
import { type Fault, FaultError, type Result } from '../ledger/types/errors.ts';

export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

const USAGE = 'USAGE';

/** A command that was typed wrongly: ends with exit code 2. */
export const usage = (message: string, hint: string): FaultError => new FaultError({ code: USAGE, message, hint });

/** The value of a result; throws its fault. */
export function unwrap<T>(result: Result<T, Fault>): T {
  if (!result.ok) throw new FaultError(result.error);
  return result.value;
}

export const exitCodeOf = (fault: Fault): number => (fault.code === USAGE ? EXIT_USAGE : EXIT_FAILED);

/** `error: CODE: what happened; what to do`, on one line whatever the message holds. */
export function faultLine({ code, message, hint }: Fault): string {
  const text = hint === '' ? message : `${message}; ${hint}`;
  return `error: ${code}: ${text.replace(/\s*[\r\n]+\s*/g, ' ')}`;
}

/** What is known of anything that was thrown. */
export function faultOf(error: unknown): Fault {
  if (error instanceof FaultError) return error;
  if (error instanceof CommanderError) return usageOf(error);
  const { message, code, path } = error as NodeJS.ErrnoException;
  if (error instanceof InvariantError || typeof code !== 'string' || !/^E[A-Z]+$/.test(code))
    return {
      code: 'INTERNAL_ERROR',
      message: `a fault of this program: ${message ?? String(error)}`,
      hint: 'please report it with the command that led to it',
    };
  const what = message.replace(`${code}: `, '');
  return {
    code,
    message: what,
    hint: path === undefined ? 'try again' : `check ${path}, who owns it, and the space left`,
  };
}

/** Commander's words without the `error:` in front, and its suggestion as the hint. */
function usageOf(error: CommanderError): Fault {
  const [message = '', meant] = error.message.replace(/^error: /, '').split('\n');
  const hint = meant === undefined ? 'see the same command with --help' : meant.replace(/^\((.*)\)$/, '$1');
  return { code: USAGE, message, hint: hint.charAt(0).toLowerCase() + hint.slice(1) };
}
