/** What must hold after every event, whatever the weather. A violation throws and ends the run. */

import type { Message } from '../../consensus/pbft/messages.ts';
import { concatBytes, toHex } from '../../ledger/types/bytes.ts';
import { type Certificate, BYZANTINE_COMMIT, votePayload } from '../../ledger/types/certificate.ts';
import type { BlockId, Height, NodeId } from '../../ledger/types/ids.ts';
import { totalPower, type ValidatorSet } from '../../ledger/types/validator.ts';
import { CHAIN_ID } from './chain.ts';
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
  readonly sent: Map<Message['type'], number>;
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
  validators: ValidatorSet,
  height: Height,
  block: BlockId,
  certificate: Certificate | null,
): void {
  const decided = checks.decided.get(height);
  holds(decided === undefined || decided === block, `two blocks at height ${height}: ${decided} and ${block}`);
  checks.decided.set(height, block);
  holds(certificate !== null && isCertified(validators, height, block, certificate), `bad certificate at ${height}`);
}

/** Written apart from the engine's own counting: two thirds by multiplication, indices one by one. */
export function isCertified(
  validators: ValidatorSet,
  height: Height,
  block: BlockId,
  certificate: Certificate,
): boolean {
  const { view, phase, signatures } = certificate;
  if (certificate.height !== height || certificate.block !== block || phase !== BYZANTINE_COMMIT.phase) return false;
  const signed = votePayload('quorate/pbft/commit/1', CHAIN_ID, height, view, block);
  let power = 0;
  let last = -1;
  for (const { index, signature } of signatures) {
    const validator = validators[index];
    if (validator === undefined || index <= last || !stubVerify(validator.key, signed, signature)) return false;
    last = index;
    power += validator.power;
  }
  return 3 * power > 2 * totalPower(validators);
}

/** One statement per (phase, height, view) and key, across every crash. */
export function onSend(checks: Checks, key: NodeId, message: Message, signed: Uint8Array): void {
  checks.sent.set(message.type, (checks.sent.get(message.type) ?? 0) + 1);
  if (message.type === 'round-change') mark(checks, 'view change');
  if (message.type === 'decision') mark(checks, 'decision');
  if (message.type === 'proposal' && (message.justification?.prepares.length ?? 0) > 0) mark(checks, 're-proposal');
  if (!('view' in message) || message.type === 'decision') return;
  const slot = `${key} ${message.type} ${message.height} ${message.view}`;
  const said = toHex(concatBytes(signed));
  const before = checks.statements.get(slot);
  holds(before === undefined || before === said, `two statements for ${slot}`);
  checks.statements.set(slot, said);
}
