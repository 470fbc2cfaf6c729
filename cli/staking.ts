/** What the ledger says of stakes, and evidence as a node shows it on its way into a transaction. */
import type { Evidence } from '../client/api.ts';
import type { Rpc } from '../client/rpc.ts';
import { fromBase64 } from '../client/transaction-file.ts';
import type { Entry } from '../ledger/modules/operation.ts';
import { type Equivocation, EVIDENCE_TAGS, type EvidencePhase } from '../ledger/modules/staking/evidence.ts';
import { type StakingParams, stakingParams } from '../ledger/modules/staking/params.ts';
import { type Stake, stakes } from '../ledger/modules/staking/stake.ts';
import { toHex } from '../ledger/types/bytes.ts';
import { FaultError } from '../ledger/types/errors.ts';
import { type BlockId, HASH_LENGTH, type PublicKey } from '../ledger/types/ids.ts';
import { unwrap } from './fault.ts';
import { keyOf } from './parse.ts';

async function read<T, K extends readonly unknown[]>(rpc: Rpc, entry: Entry<T, K>, ...key: K): Promise<T | null> {
  const { value } = unwrap(await rpc.call('state_get', { key: entry.path(...key) }));
  return entry.get({ get: () => (value === null ? null : fromBase64(value)) }, ...key);
}

/** Throws STAKING_OFF. */
export async function paramsOf(rpc: Rpc): Promise<StakingParams> {
  const params = await read(rpc, stakingParams);
  if (params === null)
    throw new FaultError({
      code: 'STAKING_OFF',
      message: 'this network does not stake',
      hint: 'validators change by votes here: quorate validators propose',
    });
  return params;
}

export const stakeOf = (rpc: Rpc, validator: PublicKey): Promise<Stake | null> => read(rpc, stakes, validator);

const isPunished = (phase: string): phase is EvidencePhase => phase in EVIDENCE_TAGS;

/** Two signed blocks as the ledger wants to see them; null: a contradiction of another kind, which costs no stake. */
export function equivocationIn({ offender, height, view, phase, first, second }: Evidence): Equivocation | null {
  if (!isPunished(phase)) return null;
  const signedBlock = ({ signed, signature }: Evidence['first']) => ({
    // A vote's payload ends in the block's id.
    block: toHex(fromBase64(signed)!.subarray(-HASH_LENGTH)) as BlockId,
    signature: fromBase64(signature)!,
  });
  return { offender: keyOf(offender), height, view, phase, first: signedBlock(first), second: signedBlock(second) };
}
