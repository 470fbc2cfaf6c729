/** What must hold after every event, whatever the weather. A violation throws and ends the run. */

import { toHex } from '../../ledger/types/bytes.ts';
import { type Certificate, type CertificateRule, votePayload } from '../../ledger/types/certificate.ts';
import type { BlockId, Height, NodeId } from '../../ledger/types/ids.ts';
import { totalPower, type ValidatorSet } from '../../ledger/types/validator.ts';
import { CHAIN_ID } from './chain.ts';
import type { Profile } from './engines.ts';
import { stubVerify } from './keys.ts';

export class Violation extends Error {
  override readonly name = 'Violation';
}

export type Mark =
  | 'view change'
  | 're-proposal'
  | 'equivocation'
  | 'block sync'
  | 'decision'
  | 'lost persist'
  | 'restart';

export interface Checks {
  /** The one block that honest nodes adopted at each height. */
  readonly decided: Map<Height, BlockId>;
  /** What each honest key signed for each (phase, height, view). */
  readonly statements: Map<string, string>;
  /** How often each thing that a set of runs must reach was reached. */
  readonly marks: Map<Mark, number>;
  /** Messages by type, for amplification. */
  readonly sent: Map<string, number>;
}

export function newChecks(): Checks {
  return { decided: new Map(), statements: new Map(), marks: new Map(), sent: new Map() };
}

export function mark(checks: Checks, name: Mark): void {
  checks.marks.set(name, (checks.marks.get(name) ?? 0) + 1);
}

function holds(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}

/** Agreement: no two honest nodes adopt different blocks at one height, each with a certificate that anyone can check. */
export function onAdopt(
  checks: Checks,
  rule: CertificateRule | null,
  validators: ValidatorSet,
  height: Height,
  block: BlockId,
  certificate: Certificate | null,
): void {
  const decided = checks.decided.get(height);
  holds(decided === undefined || decided === block, `two blocks at height ${height}: ${decided} and ${block}`);
  checks.decided.set(height, block);
  const certified =
    rule === null || certificate === null
      ? rule === certificate
      : isCertified(rule, validators, height, block, certificate);
  holds(certified, `bad certificate at ${height}`);
}

/** Written apart from the engine's own counting: shares by multiplication, indices one by one. */
export function isCertified(
  rule: CertificateRule,
  validators: ValidatorSet,
  height: Height,
  block: BlockId,
  certificate: Certificate,
): boolean {
  const { view, phase, signatures } = certificate;
  if (certificate.height !== height || certificate.block !== block || phase !== rule.phase) return false;
  const signed = votePayload(rule.tag, CHAIN_ID, height, view, block);
  let power = 0;
  let last = -1;
  for (const { index, signature } of signatures) {
    const validator = validators[index];
    if (validator === undefined || index <= last || !stubVerify(validator.key, signed, signature)) return false;
    last = index;
    power += validator.power;
  }
  const total = totalPower(validators);
  return rule.trust === 'byzantine' ? 3 * power > 2 * total : 2 * power > total;
}

/** One statement for each slot and key, across every crash. */
export function onSend(checks: Checks, profile: Profile, key: NodeId, message: unknown, signed: Uint8Array): void {
  const { type } = message as { readonly type: string };
  checks.sent.set(type, (checks.sent.get(type) ?? 0) + 1);
  const seen = profile.markOf(message);
  if (seen !== null) mark(checks, seen);
  const statement = profile.slotOf(message);
  if (statement === null) return;
  const slot = `${key} ${statement}`;
  const said = toHex(signed);
  const before = checks.statements.get(slot);
  holds(before === undefined || before === said, `two statements for ${slot}`);
  checks.statements.set(slot, said);
}
