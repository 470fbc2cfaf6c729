/**
 * Who may bring a GS1 key into being: prefixes of digits, each of one member, none the beginning of another. They are kept
 * as a tree of digits, so that looking up a key takes one read for each digit of its prefix and none beyond.
 */
import { assert } from '../../types/assert.ts';
import { bool, option, struct, text, uint } from '../../types/codec.ts';
import { type MemberId, type Millis, memberId, millis } from '../../types/ids.ts';
import { entry, type ModuleState } from '../operation.ts';

export const PREFIX_DIGITS_MIN = 4;
/** A company prefix has at most 12 digits; what is longer is one singly issued key, registered whole (a GSRN has 18). */
export const PREFIX_DIGITS_MAX = 18;

export const isPrefix = (value: string): boolean => /^[0-9]{4,18}$/.test(value);
export const prefixDigits = text(PREFIX_DIGITS_MAX, isPrefix);

interface Branch {
  /** Null where only longer prefixes are registered. */
  readonly owner: MemberId | null;
  /** How many registered prefixes begin with this one and are longer. */
  readonly longer: number;
}

interface Delegation {
  /** Who delegated: it counts for nothing while another member, or nobody, owns the prefix. */
  readonly owner: MemberId;
  readonly until: Millis;
}

type Reader = Pick<ModuleState, 'get'>;

export const prefixBranches = entry(
  struct<Branch>({ owner: option(memberId), longer: uint() }),
  (digits: string) => `members/prefix/${digits}`,
);

/** Index of a member's prefixes, for whoever lists them. */
const prefixIndex = entry(bool, (member: MemberId, digits: string) => `members/prefixes/${member}/${digits}`);

export const delegations = entry(
  struct<Delegation>({ owner: memberId, until: millis }),
  (digits: string, to: MemberId) => `members/delegation/${digits}/${to}`,
);

/** The registered prefix that `digits` begin with, and its owner. */
function prefixOf(state: Reader, digits: string): { digits: string; owner: MemberId } | null {
  for (let length = PREFIX_DIGITS_MIN; length <= Math.min(digits.length, PREFIX_DIGITS_MAX); length++) {
    const beginning = digits.slice(0, length);
    const branch = prefixBranches.get(state, beginning);
    if (branch === null) return null;
    if (branch.owner !== null) return { digits: beginning, owner: branch.owner };
  }
  return null;
}

/** The member whose prefix the digits of a GS1 key begin with (docs/protocol.md, "Prefixes"); null: nobody's. */
export function prefixOwner(state: Reader, digits: string): MemberId | null {
  return prefixOf(state, digits)?.owner ?? null;
}

/** Whether `member` may issue keys with these digits at `time`: it owns their prefix, or was delegated it or a part of it. */
export function mayIssue(state: Reader, member: MemberId, digits: string, time: Millis): boolean {
  const prefix = prefixOf(state, digits);
  if (prefix === null) return false;
  if (prefix.owner === member) return true;
  for (let length = prefix.digits.length; length <= Math.min(digits.length, PREFIX_DIGITS_MAX); length++) {
    const delegation = delegations.get(state, digits.slice(0, length), member);
    if (delegation !== null && delegation.owner === prefix.owner && delegation.until >= time) return true;
  }
  return false;
}

/** A registered prefix that `digits` begin with, or that begins with them; null: none. */
export function overlapping(state: Reader, digits: string): string | null {
  const shorter = prefixOf(state, digits);
  if (shorter !== null) return shorter.digits;
  return prefixBranches.get(state, digits) === null ? null : digits;
}

/** Registers a prefix that overlaps none. */
export function addPrefixOf(state: ModuleState, member: MemberId, digits: string): void {
  assert(overlapping(state, digits) === null, 'overlapping prefixes');
  countLonger(state, digits, 1);
  prefixBranches.set(state, { owner: member, longer: 0 }, digits);
  prefixIndex.set(state, true, member, digits);
}

/** Takes back a registered prefix. What its owner delegated of it counts only while that owner holds it. */
export function removePrefixOf(state: ModuleState, member: MemberId, digits: string): void {
  countLonger(state, digits, -1);
  prefixBranches.set(state, null, digits);
  prefixIndex.set(state, null, member, digits);
}

function countLonger(state: ModuleState, digits: string, change: 1 | -1): void {
  for (let length = PREFIX_DIGITS_MIN; length < digits.length; length++) {
    const beginning = digits.slice(0, length);
    const longer = (prefixBranches.get(state, beginning)?.longer ?? 0) + change;
    assert(longer >= 0, 'fewer than no prefixes');
    prefixBranches.set(state, longer === 0 ? null : { owner: null, longer }, beginning);
  }
}
