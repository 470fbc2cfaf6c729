import Type from 'typebox';
import { err, type Fault, ok, type Result } from '../../ledger/types/errors.ts';
import type { Height } from '../../ledger/types/ids.ts';
import { fault } from './errors.ts';
import { type Method, method } from './method.ts';
import type { Prover, StateReader } from './ports.ts';
import { toBase64 } from './presentation.ts';
import { base64Text, heightNumber, nullable, stateKeyText } from './schemas.ts';

/** The height to read at: the newest where none was asked for, and never one whose state is not held. */
export function heldHeight(state: StateReader, height: Height | undefined): Result<Height, Fault> {
  const { oldest, newest } = state.range();
  if (height === undefined) return ok(newest);
  if (height > newest)
    return err(fault('NOT_FOUND', `height ${height} is not final yet`, { data: { finalHeight: newest } }));
  if (height < oldest)
    return err(fault('PRUNED', `the state of height ${height} is no longer held`, { data: { oldestHeight: oldest } }));
  return ok(height);
}

const params = { key: stateKeyText, height: Type.Optional(heightNumber) };

export function stateMethods(state: StateReader, prover: Prover): Method[] {
  return [
    method({
      name: 'state_get',
      summary: 'The value of a state key at a recent height; null where the key is absent.',
      params,
      result: Type.Object({ key: stateKeyText, value: nullable(base64Text), height: heightNumber }),
      errors: ['PRUNED', 'NOT_FOUND'],
      handler({ key, height }) {
        const at = heldHeight(state, height);
        if (!at.ok) return at;
        const value = state.at(at.value).get(key);
        return ok({ key, value: value && toBase64(value), height: at.value });
      },
    }),
    method({
      name: 'state_getProof',
      summary: 'A proof bundle of the presence or absence of a state key at a recent height, for `quorate verify`.',
      params,
      result: Type.Object({ bundle: base64Text, height: heightNumber }),
      errors: ['PRUNED', 'NOT_FOUND', 'RESPONSE_TOO_LARGE', 'BUSY'],
      async handler({ key, height }) {
        const at = heldHeight(state, height);
        if (!at.ok) return at;
        const bundle = await prover.state(key, at.value);
        return bundle.ok ? ok({ bundle: toBase64(bundle.value), height: at.value }) : bundle;
      },
    }),
  ];
}
