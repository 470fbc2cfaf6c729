import { list, option, struct, text } from '../../types/codec.ts';
import type { Result } from '../../types/errors.ts';
import { type Millis, millis } from '../../types/ids.ts';
import { type Context, done, type Outcome, operation, refuse } from '../operation.ts';
import { FUTURE_MS_MAX } from './capture.ts';
import { parseDecimal } from './epcis/decimal.ts';
import type { Quantity } from './epcis/event.ts';
import { type FormError, fail, reading } from './epcis/failure.ts';
import { ID_BYTES_MAX, type Id, readId } from './epcis/gs1.ts';
import { createItem, items } from './item.ts';
import { commissionQuantity, lots } from './quantities.ts';
import { eventRecords, histories, receiptOf } from './record.ts';
import { type Recording, recording } from './recording.ts';
import { firstRefusal, type Refusal, refusal } from './refusals.ts';

const IDS_MAX = 1_000;

/** An amount of a lot: a plain decimal, and a UN/ECE Recommendation 20 code or nothing for pieces. */
interface Amount {
  readonly lot: string;
  readonly quantity: string;
  readonly unit: string | null;
}

/** Stock that a member held before it joined, in whatever spelling of the ids, and since when it holds it. */
interface OpeningStock {
  readonly heldSince: Millis;
  readonly ids: readonly string[];
  readonly amounts: readonly Amount[];
}

const openingStock = struct<OpeningStock>({
  heldSince: millis,
  ids: list(text(ID_BYTES_MAX), IDS_MAX),
  amounts: list(
    struct<Amount>({
      lot: text(ID_BYTES_MAX),
      quantity: text(64),
      unit: option(text(3, unit => /^[A-Z0-9]{2,3}$/.test(unit))),
    }),
    IDS_MAX,
  ),
});

/**
 * Brings stock into the ledger that was there before it: in the custody of the sender, and shown as admitted for ever. Needs
 * the role `commission`, not the prefix, because stock is held by others than its makers.
 */
export const admit = operation({
  kind: 'supply.admit',
  schema: openingStock,
  apply(context, stock): Outcome {
    if (!context.sender.roles.has('commission')) return refuse('NOT_AUTHORISED', context.sender.address);
    if (stock.heldSince > context.time + FUTURE_MS_MAX) return refuse('EVENT_IN_FUTURE', context.transaction);
    const read = readStock(stock);
    if (!read.ok) return refuse(read.error.code, read.error.concerns);
    const { ids, quantities } = read.value;
    const of = recording(context, context.transaction, stock.heldSince);
    const refused =
      firstRefusal(ids, id => admitItem(of, id)) ?? firstRefusal(quantities, quantity => admitQuantity(of, quantity));
    if (refused !== null) return refused;
    keepAdmission(context, stock.heldSince, [...ids.map(id => id.uri), ...quantities.map(({ class: { uri } }) => uri)]);
    return done;
  },
});

function readStock(stock: OpeningStock): Result<{ ids: readonly Id[]; quantities: readonly Quantity[] }, FormError> {
  return reading(() => ({
    ids: stock.ids.map(text => {
      const id = readId(text, 'ids');
      return id.level === 'instance' ? id : fail('BAD_ID', id.uri);
    }),
    quantities: stock.amounts.map(({ lot, quantity, unit }) => {
      const id = readId(lot, 'amounts');
      if (id.level !== 'lot') fail('BAD_ID', id.uri);
      return { class: id, amount: parseDecimal(quantity) ?? fail('BAD_QUANTITY', quantity), unit: unit ?? '' };
    }),
  }));
}

function admitItem(of: Recording, id: Id): Refusal | null {
  if (items.get(of.state, id.uri) !== null) return refusal('ALREADY_COMMISSIONED', id.uri);
  createItem(of, id.uri, 'admitted', { type: 'held', holder: of.member }, id.lot);
  return null;
}

function admitQuantity(of: Recording, quantity: Quantity): Refusal | null {
  const known = lots.get(of.state, quantity.class.uri);
  // A lot that was commissioned here has no stock from before.
  if (known?.origin === 'commissioned') return refusal('ALREADY_COMMISSIONED', quantity.class.uri);
  return commissionQuantity(of, quantity, 'admitted', { type: 'held', holder: of.member });
}

function keepAdmission(context: Context, heldSince: Millis, uris: readonly string[]): void {
  const { state, transaction, emit } = context;
  eventRecords.set(
    state,
    {
      ...receiptOf(context),
      type: 'OpeningStock',
      action: null,
      bizStep: null,
      eventTime: heldSince,
      alias: null,
      void: null,
    },
    transaction,
  );
  for (const uri of new Set(uris)) histories.set(state, true, uri, heldSince, transaction);
  emit('supply.admitted', { transaction, count: String(uris.length) });
}
