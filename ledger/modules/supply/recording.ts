import type { Hash, MemberId, Millis } from '../../types/ids.ts';
import type { Context, ModuleState, Role } from '../operation.ts';
import { type Journal, journal } from './journal.ts';

/** What the rules need to know of the record that is being made. */
export interface Recording {
  /** Effects on items, lots and containers go through here, so that an error declaration can take them back. */
  readonly state: ModuleState;
  readonly journal: Journal;
  readonly member: MemberId;
  readonly roles: ReadonlySet<Role>;
  /** What the changes are recorded under: the event hash, or the transaction of an admission. */
  readonly hash: Hash;
  /** When it happened, as the record says. */
  readonly time: Millis;
  /** When it is recorded. */
  readonly blockTime: Millis;
  /** Ids that the record concerns without naming them. */
  readonly concerned: Set<string>;
  alert(uri: string, reason: string): void;
}

/** A receipt has room for 2,000 events; one record does not fill it with alerts. */
const ALERTS_MAX = 100;

export function recording(context: Context, hash: Hash, time: Millis): Recording {
  const { sender, state, emit } = context;
  const kept = journal(state);
  let alerts = 0;
  return {
    state: kept.state,
    journal: kept,
    member: sender.member,
    roles: sender.roles,
    hash,
    time,
    blockTime: context.time,
    concerned: new Set(),
    alert(uri, reason) {
      if (alerts++ < ALERTS_MAX) emit('supply.alert', { id: uri, reason, hash });
    },
  };
}
