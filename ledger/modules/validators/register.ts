import { compareText } from '../../types/bytes.ts';
import { ascending, type Codec, mapped, struct, uint } from '../../types/codec.ts';
import { type Height, height, type MemberId, memberId, type NodeId, publicKey } from '../../types/ids.ts';
import { TOTAL_POWER_MAX, VALIDATORS_MAX, type Validator } from '../../types/validator.ts';
import { name } from '../names.ts';
import { entry, type ModuleState } from '../operation.ts';

/** A validator with the organisation that answers for it and votes with its power. */
export interface RegisteredValidator extends Validator {
  readonly member: MemberId;
  readonly name: string;
}

/** Who decides the next height. */
export interface Register {
  /** The height of the block that made it so. */
  readonly since: Height;
  /** In ascending order of key. */
  readonly validators: readonly RegisteredValidator[];
}

export const power: Codec<number> = mapped(
  uint(TOTAL_POWER_MAX),
  (value, reader) => (value > 0 ? value : reader.fail('validator without power')),
  value => value,
);

export const registeredValidator = struct<RegisteredValidator>({ key: publicKey, power, member: memberId, name });

export const registerCodec = struct<Register>({
  since: height,
  validators: ascending(registeredValidator, VALIDATORS_MAX, (a, b) => compareText(a.key, b.key)),
});

export const register = entry(registerCodec, () => 'validators/set');

/** Every set there ever was stays under this prefix, in the order in which they came: proofs lead through them. */
export const REGISTERS = 'validators/since/';
const HEIGHT_DIGITS = 16;

export const formerRegister = entry(
  registerCodec,
  (since: Height) => `${REGISTERS}${String(since).padStart(HEIGHT_DIGITS, '0')}`,
);

/** The set that decides from the next height on. */
export function putRegister(state: ModuleState, value: Register): void {
  register.set(state, value);
  formerRegister.set(state, value, value.since);
}

export const powerOf = (
  validators: readonly RegisteredValidator[],
  of: (each: RegisteredValidator) => boolean,
): number => validators.reduce((sum, each) => (of(each) ? sum + each.power : sum), 0);

export const byKey = (validators: readonly RegisteredValidator[], key: NodeId): RegisteredValidator | null =>
  validators.find(each => each.key === key) ?? null;
