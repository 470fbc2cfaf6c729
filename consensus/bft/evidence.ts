/** Proof that a validator signed two statements of which an honest one signs one at most. */
import { type Bytes, equalBytes } from '../../ledger/types/bytes.ts';
import { decode, struct } from '../../ledger/types/codec.ts';
import { type ChainId, type Height, hash, height, type NodeId } from '../../ledger/types/ids.ts';
import { tagged } from '../../ledger/types/tags.ts';
import { view } from '../certificate.ts';
import type { Evidence } from '../core.ts';
import type { Statement } from '../votes.ts';
import { type Phase, roundChangeBody, type Tags } from './statement.ts';

const vote = struct({ height, view, block: hash });

export function evidenceOf(
  offender: NodeId,
  height: Height,
  phase: Phase,
  first: Statement,
  second: Statement,
): Evidence {
  return {
    offender,
    height,
    view: first.view,
    phase,
    first: { signed: first.signed, signature: first.signature },
    second: { signed: second.signed, signature: second.signature },
  };
}

/** The (height, view) that `signed` is a statement of `phase` about; null where it is none of this chain and engine. */
function slotOf(tags: Tags, chainId: ChainId, phase: Phase, signed: Bytes): { height: Height; view: number } | null {
  const prefix = tagged(tags[phase], chainId);
  if (!equalBytes(signed.subarray(0, prefix.length), prefix)) return null;
  const body = signed.subarray(prefix.length);
  const result = phase === 'round-change' ? decode(roundChangeBody, body) : decode(vote, body);
  return result.ok ? result.value : null;
}

/**
 * Whether the two statements conflict: both of the phase, height and view that `evidence` names, and not the same. That
 * the offender signed both is for the caller to verify, with the key alone.
 */
export function verifyEvidence(tags: Tags, chainId: ChainId, evidence: Evidence): boolean {
  const { phase, first, second } = evidence;
  if (!Object.hasOwn(tags, phase) || equalBytes(first.signed, second.signed)) return false;
  return [first, second].every(({ signed }) => {
    const slot = slotOf(tags, chainId, phase as Phase, signed);
    return slot !== null && slot.height === evidence.height && slot.view === evidence.view;
  });
}
