/**
 * Who may connect, asked when a connection has proved its key and before it has a single stream: nodes that the ledger
 * lists, nodes that the operator configured, nobody who was just cut for what it sent, and nobody twice.
 */
import type { Millis, PublicKey } from '../../ledger/types/ids.ts';
import { BAN_MS, BANS_MAX, DUPLICATE_MS } from '../limits.ts';
import type { Candidate, Direction } from './transport.ts';

export type AdmissionRefusal = 'NOT_ADMITTED' | 'BANNED' | 'ALREADY_CONNECTED';

export interface AdmissionOptions {
  readonly self: PublicKey;
  /** Whether the ledger or the configuration lists the key now. */
  admits(key: PublicKey): boolean;
  /** Monotonic. */
  now(): Millis;
}

export interface Admission {
  /** null: come in. */
  refusal(candidate: Candidate): AdmissionRefusal | null;
  ban(key: PublicKey): void;
  readonly bans: number;
}

interface Held {
  readonly candidate: Candidate;
  readonly since: Millis;
}

export function createAdmission({ self, admits, now }: AdmissionOptions): Admission {
  const held = new Map<PublicKey, Held>();
  const bannedUntil = new Map<PublicKey, Millis>();

  function banned(key: PublicKey): boolean {
    const until = bannedUntil.get(key);
    if (until === undefined) return false;
    if (now() < until) return true;
    bannedUntil.delete(key);
    return false;
  }

  /** Two nodes that dial each other at once both keep the connection that the smaller key dialled. */
  const preferred = (key: PublicKey): Direction => (self < key ? 'outbound' : 'inbound');

  /**
   * Whether a second connection takes the place of the first. Nobody dials a node that it sees as connected, so a later
   * one means that the peer has lost the first, which a crash leaves half open here.
   */
  function replaces(next: Candidate, current: Held): boolean {
    if (next.direction === current.candidate.direction) return true;
    return next.direction === preferred(next.key) || now() - current.since > DUPLICATE_MS;
  }

  function refusal(candidate: Candidate): AdmissionRefusal | null {
    const { key } = candidate;
    if (key === self || !admits(key)) return 'NOT_ADMITTED';
    if (banned(key)) return 'BANNED';
    const current = held.get(key);
    if (current && !replaces(candidate, current)) return 'ALREADY_CONNECTED';
    const mine = { candidate, since: now() };
    held.set(key, mine);
    void candidate.closed.then(() => {
      if (held.get(key) === mine) held.delete(key);
    });
    current?.candidate.abort();
    return null;
  }

  return {
    refusal,
    ban(key) {
      for (const [each, until] of bannedUntil)
        if (until <= now() || bannedUntil.size >= BANS_MAX) bannedUntil.delete(each);
      bannedUntil.set(key, now() + BAN_MS);
    },
    get bans() {
      return bannedUntil.size;
    },
  };
}
