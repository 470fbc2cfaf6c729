/** The events of the tests by what they say. Hours order them. */
import type { Bytes } from '../../../ledger/types/bytes.ts';
import { event, type Fields, transformation } from './harness.ts';

const object =
  (action: string, bizStep: string | undefined) =>
  (hour: number, epcList: readonly string[], more: Fields = {}) =>
    event(hour, { action, bizStep, epcList, ...more });

export const make = object('ADD', 'commissioning');
export const retire = object('DELETE', 'decommissioning');
export const look = object('OBSERVE', 'inspecting');
export const ship = object('OBSERVE', 'shipping');
export const receive = object('OBSERVE', 'receiving');
export const accept = object('OBSERVE', 'accepting');
export const unship = object('OBSERVE', 'void_shipping');

const parented =
  (type: string, action: string) =>
  (hour: number, parentID: string, childEPCs: readonly string[], more: Fields = {}) =>
    event(hour, { type, action, parentID, ...(childEPCs.length > 0 ? { childEPCs } : {}), ...more });

export const pack = parented('AggregationEvent', 'ADD');
export const unpack = parented('AggregationEvent', 'DELETE');
export const attach = parented('AssociationEvent', 'ADD');
export const watch = parented('AggregationEvent', 'OBSERVE');

export const turn = (
  hour: number,
  inputEPCList: readonly string[],
  outputEPCList: readonly string[],
  more: Fields = {},
) => transformation(hour, { inputEPCList, outputEPCList, bizStep: 'creating_class_instance', ...more });

/** The same event with an error declaration. */
export function declared(bytes: Bytes, more: Fields = {}): Bytes {
  const json = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  json.errorDeclaration = { declarationTime: '2026-06-01T00:00:00Z', reason: 'incorrect_data', ...more };
  return new TextEncoder().encode(JSON.stringify(json));
}
