/** Pages of long lists. A cursor is opaque to clients: base64url of what the next page begins after. */
import Type from 'typebox';

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
