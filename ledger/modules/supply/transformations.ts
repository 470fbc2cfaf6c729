/** Transformations: inputs are consumed, outputs commissioned, and every input of one leads to every output. */
import { bool } from '../../types/codec.ts';
import { type Hash, memberId } from '../../types/ids.ts';
import { entry, type ModuleState } from '../operation.ts';
import { commission, lotOfItem, meet } from './commission.ts';
import { mayMove } from './containers.ts';
import { contentsOf } from './contents.ts';
import type { EpcisEvent } from './epcis/event.ts';
import type { Id } from './epcis/gs1.ts';
import { moveItem } from './item.ts';
import { segment } from './keys.ts';
import type { Place } from './place.ts';
import { commissionQuantity, move } from './quantities.ts';
import type { Recording } from './recording.ts';
import { firstRefusal, type Refusal, refusal } from './refusals.ts';

/** Whose transformation an id names: its first recorder's. */
export const transformations = entry(memberId, (id: string) => `supply/transformation/${segment(id)}`);

const link = (family: string) =>
  entry(bool, (from: string, to: string, record: Hash) => `supply/${family}/${segment(from)}/${segment(to)}/${record}`);

/** What went into a transformation and what came out of it, and the same by the thing. */
export const inputs = link('input');
export const outputs = link('output');
export const uses = link('use');
export const makings = link('making');

/** Names a transformation: its id, or the hash of the one event that it is. */
export const transformationOf = (event: EpcisEvent): string => event.transformation ?? event.hash;

export function transform(of: Recording, event: EpcisEvent): Refusal | null {
  const name = transformationOf(event);
  return (
    ownTransformation(of, event) ??
    firstRefusal(event.inputs, id => consume(of, id, name)) ??
    firstRefusal(event.inputQuantities, quantity =>
      move(
        of,
        quantity,
        { type: 'held', holder: of.member },
        { type: 'consumed', by: of.member, transformation: name },
      ),
    ) ??
    firstRefusal(event.outputs, id => commission(of, id, lotOfItem(id, event))) ??
    firstRefusal(event.outputQuantities, quantity =>
      commissionQuantity(of, quantity, 'commissioned', { type: 'held', holder: of.member }),
    )
  );
}

function ownTransformation(of: Recording, { transformation }: EpcisEvent): Refusal | null {
  if (transformation === null) return null;
  const owner = transformations.get(of.state, transformation);
  if (owner === null) transformations.set(of.state, of.member, transformation);
  return owner === null || owner === of.member ? null : refusal('TRANSFORMATION_OWNED', transformation);
}

function consume(of: Recording, id: Id, transformation: string): Refusal | null {
  const met = meet(of, id);
  if (!met.ok) return met;
  const { place } = met.item;
  // Named again under the same id: consumed once.
  if (place.type === 'consumed' && place.transformation === transformation) return null;
  return destroy(of, id, { type: 'consumed', by: of.member, transformation });
}

/** Ends the existence of an item: what it became is `end`. */
export function destroy(of: Recording, id: Id, end: Place): Refusal | null {
  const met = meet(of, id);
  if (!met.ok) return met;
  const refused = mayMove(of, id.uri, met.item);
  if (refused !== null) return refused;
  if (contentsOf(of.state, id.uri).count > 0) return refusal('CONTAINER_NOT_EMPTY', id.uri);
  moveItem(of, id.uri, met.item, end);
  return null;
}

/** Writes the links of a transformation event. They outlive an error declaration, and are then shown as void. */
export function linkTransformation(state: ModuleState, event: EpcisEvent): void {
  const name = transformationOf(event);
  for (const uri of [...event.inputs.map(id => id.uri), ...event.inputQuantities.map(q => q.class.uri)]) {
    inputs.set(state, true, name, uri, event.hash);
    uses.set(state, true, uri, name, event.hash);
  }
  for (const uri of [...event.outputs.map(id => id.uri), ...event.outputQuantities.map(q => q.class.uri)]) {
    outputs.set(state, true, name, uri, event.hash);
    makings.set(state, true, uri, name, event.hash);
  }
}
