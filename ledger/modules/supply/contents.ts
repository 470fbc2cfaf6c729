/**
 * What is inside a container: a chain of state entries that begins at the container, because an operation can read entries by
 * their key alone. Putting in, taking out and finding the first cost the same for any number of members.
 */
import { assert } from '../../types/assert.ts';
import { option, struct, text, uint } from '../../types/codec.ts';
import { entry, type ModuleState } from '../operation.ts';
import { segment, type Thing, thingOfPath, thingPath } from './keys.ts';

/** Members directly inside one container; taking all of them out is one operation, which this bounds. */
export const MEMBERS_MAX = 1_000;
/** Containers within containers: how far a walk to the outermost one goes. */
export const DEPTH_MAX = 8;

export interface Contents {
  readonly count: number;
  /** How many levels its members bring along, at most; it is not lowered before the container is empty. */
  readonly depth: number;
  readonly first: string | null;
}

interface Link {
  readonly previous: string | null;
  readonly next: string | null;
}

/** An id of 256 characters, each escaped, and a unit. */
const path = text(1_024);

export const contents = entry(
  struct<Contents>({ count: uint(MEMBERS_MAX), depth: uint(DEPTH_MAX), first: option(path) }),
  (container: string) => `supply/contents/${segment(container)}`,
);

export const links = entry(
  struct<Link>({ previous: option(path), next: option(path) }),
  (container: string, thing: string) => `supply/inside/${segment(container)}/${thing}`,
);

const EMPTY_CONTENTS: Contents = { count: 0, depth: 0, first: null };

export const contentsOf = (state: Pick<ModuleState, 'get'>, container: string): Contents =>
  contents.get(state, container) ?? EMPTY_CONTENTS;

/** Puts a thing that is not inside at the head of the chain. */
export function insert(state: ModuleState, container: string, thing: Thing): void {
  const name = thingPath(thing);
  const { count, depth, first } = contentsOf(state, container);
  assert(count < MEMBERS_MAX, 'a full container');
  assert(links.get(state, container, name) === null, 'inside twice');
  if (first !== null) links.set(state, { ...links.get(state, container, first)!, previous: name }, container, first);
  links.set(state, { previous: null, next: first }, container, name);
  contents.set(state, { count: count + 1, depth, first: name }, container);
}

/** Takes a thing that is inside out of the chain. */
export function remove(state: ModuleState, container: string, thing: Thing): void {
  const name = thingPath(thing);
  const link = links.get(state, container, name);
  assert(link !== null, 'not inside');
  const { count, depth, first } = contentsOf(state, container);
  const { previous, next } = link;
  if (previous !== null) links.set(state, { ...links.get(state, container, previous)!, next }, container, previous);
  if (next !== null) links.set(state, { ...links.get(state, container, next)!, previous }, container, next);
  links.set(state, null, container, name);
  const left: Contents = { count: count - 1, depth, first: first === name ? next : first };
  contents.set(state, left.count === 0 ? null : left, container);
}

/** Notes that the container holds something with `depth` levels of its own. */
export function deepen(state: ModuleState, container: string, depth: number): void {
  const known = contentsOf(state, container);
  if (depth > known.depth) contents.set(state, { ...known, depth }, container);
}

/** How many levels of containers a thing brings along: 0 for one that holds nothing. */
export function heightOf(state: Pick<ModuleState, 'get'>, container: string): number {
  const { count, depth } = contentsOf(state, container);
  return count === 0 ? 0 : depth + 1;
}

/** All members, newest first. */
export function members(state: Pick<ModuleState, 'get'>, container: string): readonly Thing[] {
  const found: Thing[] = [];
  let name = contentsOf(state, container).first;
  while (name !== null) {
    assert(found.length < MEMBERS_MAX, 'a chain longer than its count');
    found.push(thingOfPath(name));
    name = links.get(state, container, name)!.next;
  }
  return found;
}
