/**
 * What admission asks about a sender. It is asked for every transaction several times and changes rarely, so that it is
 * kept from block to block, until something that it was read from is written.
 */
import { type Account, accounts, senderOf } from './modules/members/account.ts';
import type { Sender } from './modules/operation.ts';
import { type Kept, keptOf } from './offline.ts';
import type { StateReader } from './state/overlay.ts';
import type { Address } from './types/address.ts';

export interface Standing {
  readonly account: Account;
  readonly sender: Sender;
  /** Its transactions whose ids are in state, expired ones among them. */
  readonly kept: readonly Kept[];
}

/** By address, as read from states that agree in all that {@link affectsStandings}; null: there is no such account. */
export type Standings = Map<Address, Standing | null>;

/** Anyone can name new addresses. */
const STANDINGS_MAX = 20_000;

export function standingOf(standings: Standings, state: StateReader, address: Address): Standing | null {
  let standing = standings.get(address);
  if (standing === undefined) {
    standing = readStanding(state, address);
    if (standings.size >= STANDINGS_MAX) standings.clear();
    standings.set(address, standing);
  }
  return standing;
}

export function readStanding(state: StateReader, address: Address): Standing | null {
  const account = accounts.get(state, address);
  return account && { account, sender: senderOf(state, address, account), kept: keptOf(state, address) };
}

/** Whether a write under `key` may change a standing: accounts and members are under the one, kept ids under the other. */
export const affectsStandings = (key: string): boolean => key.startsWith('members/') || key.startsWith('transactions/');

/** The standings after a block that wrote `changes` on a state with these. */
export function standingsAfter(standings: Standings, changes: ReadonlyMap<string, unknown>): Standings {
  for (const key of changes.keys()) if (affectsStandings(key)) return new Map();
  return standings;
}
