/** What must hold after every event, whatever the weather. A violation throws and ends the run. */
import type { GenesisBlock } from '../../ledger/genesis-block.ts';
import { type Certificate, type CertificateRule, votePayload } from '../../ledger/types/certificate.ts';
import type { BlockId, Height, NodeId } from '../../ledger/types/ids.ts';
import { totalPower, type ValidatorSet } from '../../ledger/types/validator.ts';
import { newProgress, type Progress } from './bounds.ts';
import { CHAIN_ID } from './chain.ts';
import type { CertifiedBlock } from './disk.ts';
import { differs, type Economy, record } from './economy.ts';
import type { Profile } from './engines.ts';
import { stubVerify } from './keys.ts';
import { type Content, newContent, wrongRoot } from './roots.ts';
import { holds } from './violation.ts';

export type Mark =
  | 'view change'
  | 'election'
  | 're-proposal'
  | 'equivocation'
  | 'twins exposed'
  | 'bad justification refused'
  | 'false signature refused'
  | 'block sync'
  | 'decision'
  | 'lost persist'
  | 'restart'
  | 'recovered from disk'
  | 'torn tail'
  | 'replayed block'
  | 'damage refused'
  | 'lie refused'
  | 'forged block refused'
  | 'votes again after a wipe'
  | 'fork'
  | 'reorganisation'
  | 'transactions returned to the mempool'
  | 'submitted again'
  | 'transfer refused';

export interface Checks {
  /** The one block that honest nodes call final at each height. */
  readonly decided: Map<Height, BlockId>;
  /** What honest keys said for each slot. */
  readonly statements: Map<string, string>;
  /** How often each thing that a set of runs must reach was reached. */
  readonly marks: Map<Mark, number>;
  /** Blocks on which another was mined. */
  readonly mined: Set<BlockId>;
  /** Messages by type, for amplification. */
  readonly sent: Map<string, number>;
  /** What all final blocks together wrote. */
  readonly content: Content;
  /** How many transactions are recorded up to each height. */
  readonly recordedBy: number[];
  /** Of each node, by slot. */
  readonly progress: Progress[];
}

export const newChecks = (genesis: GenesisBlock, nodes: number): Checks => ({
  ...{ decided: new Map(), statements: new Map(), marks: new Map(), mined: new Set(), sent: new Map() },
  ...{ content: newContent(genesis), recordedBy: [0], progress: Array.from({ length: nodes }, newProgress) },
});

export function mark(checks: Checks, name: Mark): void {
  checks.marks.set(name, (checks.marks.get(name) ?? 0) + 1);
}

/** A block was found above `parent`, whoever found it. */
export function onMined(checks: Checks, parent: BlockId): void {
  if (checks.mined.has(parent)) mark(checks, 'fork');
  checks.mined.add(parent);
}

interface Finality {
  readonly parent: { readonly id: BlockId; readonly height: Height };
  /** Who decides the block's height. */
  readonly validators: ValidatorSet;
  readonly final: CertifiedBlock;
  /** The ledger after the block; null where it has moved on by more than this block. */
  readonly state: Parameters<typeof differs>[1] | null;
}

/**
 * Agreement: no two honest nodes call different blocks of one height final. Integrity: each block stands on the one before,
 * with a certificate that anyone can check. Validity: it holds what was submitted, once, its roots are those of what it holds,
 * and receipts and ledger say what a naive model says.
 */
export function onFinal(checks: Checks, economy: Economy, rule: CertificateRule | null, at: Finality): void {
  const { parent, validators, final, state } = at;
  const { id, header, transactions } = final.block;
  const { height } = header;
  holds(
    height === parent.height + 1 && header.parent === parent.id,
    () => `${id} does not follow height ${parent.height}`,
  );
  const { certificate } = final;
  if (rule === null) holds(certificate === null, () => `a certificate of no use at ${height}`);
  else
    holds(
      certificate !== null && isCertified(rule, validators, height, id, certificate),
      () => `bad certificate at ${height}`,
    );
  const decided = checks.decided.get(height);
  holds(decided === undefined || decided === id, () => `two blocks at height ${height}: ${decided} and ${id}`);
  if (decided !== undefined) return;
  holds(checks.decided.size === height - 1, () => `height ${height} is final before those below it`);
  checks.decided.set(height, id);
  const wrong = wrongRoot(checks.content, final);
  holds(wrong === null, () => `block ${height}: ${wrong}`);
  const { receipts } = final;
  for (const { succeeded } of receipts) if (!succeeded) mark(checks, 'transfer refused');
  checks.recordedBy.push(checks.recordedBy.at(-1)! + transactions.length);
  const invalid = record(economy, transactions, receipts);
  holds(invalid === null, () => `block ${height}: ${invalid}`);
  const different = state === null ? null : differs(economy, state);
  holds(different === null, () => `after block ${height}: ${different}`);
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

/** One statement for each slot, of a key or of everyone, across every crash. */
export function onSend(
  checks: Checks,
  profile: Profile,
  from: NodeId,
  message: unknown,
  to: readonly NodeId[] | 'all',
): void {
  const { type = 'message' } = message as { readonly type?: string };
  checks.sent.set(type, (checks.sent.get(type) ?? 0) + 1);
  const seen = profile.markOf(message);
  if (seen !== null) mark(checks, seen);
  const statement = profile.statementOf(message, to, from);
  if (statement === null) return;
  const slot = statement.shared ? statement.slot : `${from} ${statement.slot}`;
  const before = checks.statements.get(slot);
  holds(before === undefined || before === statement.said, () => `two statements for ${slot}`);
  checks.statements.set(slot, statement.said);
}

/** What was final anywhere is on every healed node that has come to `reached`; above it some may be ahead of others. */
export function onHealed(checks: Checks, reached: Height, chains: readonly (readonly CertifiedBlock[])[]): void {
  for (const [height, id] of checks.decided) {
    if (height > reached) continue;
    for (const chain of chains) {
      const block = chain[height - 1];
      holds(block?.block.id === id, () => `block ${height} was final and is not on a healed node`);
    }
  }
}
