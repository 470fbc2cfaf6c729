/** Pages of long lists. A cursor is opaque to clients: base64url of what the next page begins after. */
import Type from 'typebox';
import { err, type Fault, ok, type Result } from '../../ledger/types/errors.ts';
import { fault } from './errors.ts';
import type { StateReader } from './ports.ts';

export const PAGE_ITEMS_DEFAULT = 50;
export const PAGE_ITEMS_MAX = 500;

/** The parameters that every paged method takes, at the end of its list. */
export const pageParams = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_ITEMS_MAX, description: 'an integer from 1 to 500' })),
  cursor: Type.Optional(Type.String({ maxLength: 2_048, description: 'the `next` of the page before' })),
};

export interface Page<T> {
  readonly items: T[];
  /** Where the next page begins; null after the last. */
  readonly next: string | null;
}

export function page<T extends Type.TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), next: Type.Union([Type.String(), Type.Null()]) });
}

export const cursorOf = (position: string): string => Buffer.from(position, 'utf8').toString('base64url');

/** What {@link cursorOf} was given; null for a text that it could not have written. */
export function positionOf(cursor: string): string | null {
  const position = Buffer.from(cursor, 'base64url').toString('utf8');
  return cursorOf(position) === cursor ? position : null;
}

export const badCursor = (): Fault =>
  fault('INVALID_PARAMS', 'parameter cursor is none that this method gave', { data: { parameter: 'cursor' } });

export interface PageRequest {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** A page of a list that is in memory, in ascending order. */
export function memoryPage(
  all: readonly string[],
  { limit = PAGE_ITEMS_DEFAULT, cursor }: PageRequest,
): Result<Page<string>, Fault> {
  const after = cursor === undefined ? null : positionOf(cursor);
  if (cursor !== undefined && after === null) return err(badCursor());
  const left = after === null ? all : all.filter(each => each > after);
  const items = left.slice(0, limit);
  return ok({ items, next: left.length > limit ? cursorOf(items.at(-1)!) : null });
}

/**
 * A page of the newest state's entries under `prefix`, in the order of keys. `present` gets what follows the prefix in a key; null
 * leaves an entry out, so that a page may hold less than its limit and yet not be the last.
 */
export async function entriesPage<T>(
  state: StateReader,
  prefix: string,
  { limit = PAGE_ITEMS_DEFAULT, cursor }: PageRequest,
  present: (rest: string) => T | null,
): Promise<Result<Page<T>, Fault>> {
  const after = cursor === undefined ? null : positionOf(cursor);
  if (cursor !== undefined && after === null) return err(badCursor());
  // One more than asked for tells whether there is a next page.
  const entries = await state.list(prefix, after === null ? null : prefix + after, limit + 1);
  const shown = entries.slice(0, limit).map(({ key }) => key.slice(prefix.length));
  const items = shown.map(present).filter(item => item !== null);
  return ok({ items, next: entries.length > limit ? cursorOf(shown.at(-1)!) : null });
}
