/** A proof in a file, checked against a genesis in a file, with no network at all. */
import { readFileSync } from 'node:fs';
import { fromBase64 } from '../client/transaction-file.ts';
import { trustedGenesis } from '../ledger/proof/trusted-genesis.ts';
import type { ProofError, Verified } from '../ledger/proof/verdict.ts';
import { type Demand, verifyProof } from '../ledger/proof.ts';
import { type Bytes, fromUtf8 } from '../ledger/types/bytes.ts';
import { FaultError } from '../ledger/types/errors.ts';
import { readGenesis } from './facts.ts';

/** What the proof proves. Throws the code of what is wrong with it. */
export function verifyFile(file: string, genesisFile: string, demand: Demand = {}): Verified {
  const verdict = verifyProof(readProof(file), trustedGenesis(readGenesis(genesisFile)), demand);
  if (!verdict.ok) throw refused(file, verdict.error);
  return verdict.value;
}

/** A proof as bytes, or as base64: its first byte is none that text begins with. */
function readProof(file: string): Bytes {
  const bytes = readFileSync(file);
  return fromBase64(fromUtf8(bytes)?.trim() ?? '-') ?? bytes;
}

function refused(file: string, error: ProofError): FaultError {
  const { code, ...data } = error;
  const more = Object.entries(data).map(([name, value]) => `${name} ${value}`);
  return new FaultError({
    code,
    message: `${file} proves nothing${more.length === 0 ? '' : ` (${more.join(', ')})`}`,
    hint: HINTS[code] ?? 'get it anew from a node: quorate tx proof',
    data,
  });
}

const OTHER_GENESIS = 'check that this is the genesis.json of the network it is about';

const HINTS: Partial<Record<ProofError['code'], string>> = {
  PROOF_OF_OTHER_CHAIN: OTHER_GENESIS,
  PROOF_OF_OTHER_ENGINE: OTHER_GENESIS,
  PROOF_VALIDATORS: OTHER_GENESIS,
  PROOF_ENGINE_UNKNOWN: 'its engine proves nothing to others, or a newer version of this program knows it',
  PROOF_TOO_SHALLOW: 'get it anew from a node when more blocks stand on it: quorate tx proof',
};
