/**
 * Error declarations: an event with an `errorDeclaration` says that the event with the same hash is void. Its effects are taken
 * back where nothing was built on them.
 */
import { assert } from '../../types/assert.ts';
import { decodeOwn } from '../../types/codec.ts';
import { type Hash, hash, type MemberId } from '../../types/ids.ts';
import { type Context, entry, type ModuleState } from '../operation.ts';
import type { EpcisEvent } from './epcis/event.ts';
import { item } from './item.ts';
import { effectsOf } from './journal.ts';
import { thingOfPath } from './keys.ts';
import { balance, lot, noteShipper, type Stock } from './quantities.ts';
import { declarationRecords, eventRecords, receiptOf } from './record.ts';
import { type Refusal, refusal } from './refusals.ts';

/** Declarations that came before their event, by the member who may record it; administrators' count for all members. */
const declared = entry(hash, (event: Hash, member: MemberId) => `supply/declared/${event}/${member}`);
const declaredByAdministrator = entry(hash, (event: Hash) => `supply/declaredByAdministrator/${event}`);

/** The declaration that makes an event of this member void before it arrives; null: none. */
export const declaredBefore = (state: Pick<ModuleState, 'get'>, event: Hash, member: MemberId): Hash | null =>
  declaredByAdministrator.get(state, event) ?? declared.get(state, event, member);

/** Applies the declaration of `event` by the sender. */
export function declare(context: Context, event: EpcisEvent): Refusal | null {
  const { state, sender } = context;
  const declaration = event.declaration!.hash;
  const administrator = sender.roles.has('administer');
  const original = eventRecords.get(state, event.hash);
  if (original === null) {
    if (administrator) declaredByAdministrator.set(state, declaration, event.hash);
    else declared.set(state, declaration, event.hash, sender.member);
    return null;
  }
  if (original.member !== sender.member && !administrator) return refusal('NOT_RECORDER', event.hash);
  if (original.void !== null) return null;
  const refused = undo(state, event.hash);
  if (refused !== null) return refused;
  eventRecords.set(state, { ...original, void: declaration }, event.hash);
  context.emit('supply.voided', { hash: event.hash, declaration });
  return null;
}

export function keepDeclaration(context: Context, event: EpcisEvent): void {
  const { hash: declaration, correctives } = event.declaration!;
  const administrator = context.sender.roles.has('administer');
  declarationRecords.set(context.state, { ...receiptOf(context), administrator, correctives }, event.hash, declaration);
}

/** A receipt names at most this many dependants; declaring those reveals the next. */
const DEPENDANTS_SHOWN_MAX = 10;

/** The record that changed an entry last; null for entries that belong to one of those that say so. */
function changedBy(key: string, value: Uint8Array): Hash | null {
  if (key.startsWith('supply/item/')) return decodeOwn(item, value).changed;
  if (key.startsWith('supply/balance/')) return decodeOwn(balance, value).changed;
  if (key.startsWith('supply/class/')) return decodeOwn(lot, value).changed;
  return null;
}

/** Takes back what a record did, or names the later records that depend on it: those that changed what it changed. */
function undo(state: ModuleState, record: Hash): Refusal | null {
  const effects = effectsOf.get(state, record) ?? [];
  const dependants = new Set<Hash>();
  for (const { key } of effects) {
    const value = state.get(key);
    const by = value === null ? null : changedBy(key, value);
    if (by !== null && by !== record) dependants.add(by);
  }
  if (dependants.size > 0) {
    return refusal('EVENT_HAS_DEPENDANTS', [...dependants].slice(0, DEPENDANTS_SHOWN_MAX).join(' '));
  }
  for (const { key, before } of effects) {
    state.set(key, before);
    restoreShipper(state, key, before);
  }
  effectsOf.set(state, null, record);
  return null;
}

const IN_TRANSIT = /^supply\/balance\/([^/]+\/[^/]+)\/transit\/([^/]+)\/([^/]+)$/;

/** The list of shippers follows from the balances in transit. */
function restoreShipper(state: ModuleState, key: string, before: Uint8Array | null): void {
  const [, path, to, from] = IN_TRANSIT.exec(key) ?? [];
  if (path === undefined) return;
  const stock = thingOfPath(path);
  assert(stock.type === 'lot', 'a balance of an item');
  const present = before !== null && decodeOwn(balance, before).amount.units > 0n;
  noteShipper(state, stock as Stock, from as MemberId, to === '*' ? null : (to as MemberId), present);
}
