/**
 * A method of the API: one schema of its parameters and one of its result, from which validation, the handler's types and
 * the published description all come. A call's parameters are refused, by name, before the handler sees them.
 */
import Type, { type Static, type TProperties, type TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { assert } from '../../ledger/types/assert.ts';
import { err, type Fault, ok, type Result } from '../../ledger/types/errors.ts';
import { nearest } from '../../ledger/types/nearest.ts';
import { type ErrorCode, fault } from './errors.ts';

/** What a handler may use of the call that it answers. */
export interface CallContext {
  /** Aborted when the caller is gone or the server closes. */
  readonly signal: AbortSignal;
  /** Counts calls against the caller's share, for a method that does the work of several; a fault where it is used up. */
  charge(calls: number): Fault | null;
}

/** An answer at once or later. */
export type Awaitable<T> = T | Promise<T>;

export interface MethodDefinition<P extends TProperties, R extends TSchema> {
  /** `namespace_verbNoun`: a written constant of the API. */
  readonly name: string;
  /** One sentence for the published description. */
  readonly summary: string;
  /** In the order in which they are given by position. */
  readonly params: P;
  /**
   * Where one position stands for several parameters of different types, such as a height or an id. Without it the
   * positions are the parameters in their order.
   */
  readonly positions?: readonly (keyof P & string)[][];
  readonly result: R;
  /** Codes beyond those that every method can answer with. */
  readonly errors?: readonly ErrorCode[];
  readonly handler: (params: Static<Type.TObject<P>>, context: CallContext) => Awaitable<Result<Static<R>, Fault>>;
}

export type Params = Readonly<Record<string, unknown>> | readonly unknown[];

export interface Method {
  readonly name: string;
  readonly summary: string;
  readonly params: Type.TObject;
  readonly positions: readonly (readonly string[])[];
  readonly result: TSchema;
  readonly errors: readonly ErrorCode[];
  /** Checks the parameters of a call, then answers it. */
  call(params: Params, context: CallContext): Awaitable<Result<unknown, Fault>>;
}

export function method<const P extends TProperties, const R extends TSchema>(
  definition: MethodDefinition<P, R>,
): Method {
  const { name, summary, result, errors = [], handler } = definition;
  const params = Type.Object(definition.params, { additionalProperties: false });
  const names = Object.keys(definition.params);
  const positions = definition.positions ?? names.map(each => [each]);
  assert(positions.flat().length === names.length, `${name}: a parameter has no position, or two`);
  const read = reader(params, positions);
  return {
    name,
    summary,
    params,
    positions,
    result,
    errors,
    call(given, context) {
      const checked = read(given);
      return checked.ok ? handler(checked.value as Static<Type.TObject<P>>, context) : checked;
    },
  };
}

/** Turns parameters by name or by position into the checked object that a handler takes. */
function reader(params: Type.TObject, positions: readonly (readonly string[])[]) {
  const names = Object.keys(params.properties);
  const required = new Set(params.required ?? []);
  const validator = Compile(params);
  const single = new Map(Object.entries(params.properties).map(([name, schema]) => [name, Compile(schema)]));

  /** The parameter that a value in a position is meant for. */
  const named = (choices: readonly string[], value: unknown): string =>
    choices.find(each => single.get(each)!.Check(value)) ?? choices[0]!;

  return (given: Params): Result<object, Fault> => {
    const object: Record<string, unknown> = Object.create(null);
    let entries: (readonly [string, unknown])[];
    if (Array.isArray(given)) {
      if (given.length > positions.length) return err(tooMany(given.length, names));
      entries = given.map((value, i) => [named(positions[i]!, value), value]);
    } else {
      entries = Object.entries(given);
      const unknown = entries.find(([key]) => !single.has(key));
      if (unknown) return err(unknownParameter(unknown[0], names));
    }
    // Many clients write null for a parameter that they leave out.
    for (const [key, value] of entries) if (value !== null || required.has(key)) object[key] = value;
    return validator.Check(object) ? ok(object) : err(refusal(params, validator, object));
  };
}

const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));

function tooMany(count: number, names: readonly string[]): Fault {
  return fault('INVALID_PARAMS', `${count} parameters are too many`, { hint: `the parameters are: ${list(names)}` });
}

function unknownParameter(key: string, names: readonly string[]): Fault {
  const shown = key.slice(0, 64);
  const meant = nearest(shown, names);
  return fault('INVALID_PARAMS', `unknown parameter ${JSON.stringify(shown)}`, {
    hint: meant === null ? `the parameters are: ${list(names)}` : `did you mean ${meant}?`,
    data: { parameter: shown },
  });
}

/** Names the first parameter that is missing or wrong, in the order of the schema, and says what it must be. */
function refusal(params: Type.TObject, validator: Validator, object: object): Fault {
  const error = validator.Errors(object)[0];
  assert(error, 'a value that was refused has no error');
  const missing = error.keyword === 'required' ? error.params.requiredProperties[0] : undefined;
  const parameter = missing ?? error.instancePath.split('/')[1] ?? '';
  const { description } = params.properties[parameter] as { description?: string };
  const must = description === undefined ? '' : `: it must be ${description}`;
  return fault('INVALID_PARAMS', `parameter ${parameter} is ${missing === undefined ? 'wrong' : 'missing'}${must}`, {
    data: { parameter },
  });
}
