/** How ids come into being, and what happens at their first sight. */
import type { MemberId } from '../../types/ids.ts';
import { mayIssue, prefixOwner } from '../members/prefixes.ts';
import type { ModuleState } from '../operation.ts';
import type { EpcisEvent } from './epcis/event.ts';
import { type Id, lotOf } from './epcis/gs1.ts';
import { changeable, createItem, type Item, items } from './item.ts';
import type { Recording } from './recording.ts';
import { type Refusal, refusal } from './refusals.ts';

/** The lot an instance belongs to: the one its link names, else that of the event's lot master data. */
export const lotOfItem = (id: Id, event: Pick<EpcisEvent, 'lotNumber'> | null): string | null =>
  id.lot ?? (event === null || event.lotNumber === null ? null : lotOf(id, event.lotNumber));

/** The member whose prefix an id is under; null: nobody's. */
export const ownerOf = (state: Pick<ModuleState, 'get'>, id: Id): MemberId | null =>
  id.digits === null ? null : prefixOwner(state, id.digits);

/** Whether the signer may bring this id into being: only this ever needs the prefix. */
export function mayBringIntoBeing(of: Recording, id: Id): Refusal | null {
  if (!of.roles.has('commission')) return refusal('NOT_AUTHORISED', id.uri);
  const allowed = id.digits !== null && mayIssue(of.state, of.member, id.digits, of.blockTime);
  return allowed ? null : refusal('NOT_YOUR_PREFIX', id.uri);
}

/** Brings an instance into being, in the custody of the signer. */
export function commission(of: Recording, id: Id, lot: string | null): Refusal | null {
  const known = items.get(of.state, id.uri);
  if (known !== null) return changeable(of, id.uri, known) ?? refusal('ALREADY_COMMISSIONED', id.uri);
  const refused = mayBringIntoBeing(of, id);
  if (refused !== null) return refused;
  createItem(of, id.uri, 'commissioned', { type: 'held', holder: of.member }, lot);
  return null;
}

export type Met = { readonly ok: true; readonly item: Item; readonly first: boolean } | Refusal;

/** The item of an id. One under nobody's prefix is admitted at first sight, as external, in the custody of the signer. */
export function meet(of: Recording, id: Id, lot: string | null = id.lot): Met {
  const known = items.get(of.state, id.uri);
  if (known !== null) return { ok: true, item: known, first: known.origin === 'external' && known.changed === of.hash };
  if (ownerOf(of.state, id) !== null) return refusal('NOT_COMMISSIONED', id.uri);
  const created = createItem(of, id.uri, 'external', { type: 'held', holder: of.member }, lot);
  return { ok: true, item: created, first: true };
}

/** Whether an instance may be spoken of: it is known, or under nobody's prefix. Changes nothing. */
export function mayName(of: Recording, id: Id): Refusal | null {
  const known = items.get(of.state, id.uri) !== null || ownerOf(of.state, id) === null;
  return known ? null : refusal('NOT_COMMISSIONED', id.uri);
}
