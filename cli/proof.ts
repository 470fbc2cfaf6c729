/** A proof in a file, checked against a genesis in a file, with no network at all. */
import { readFileSync } from 'node:fs';
import { fromBase64 } from '../client/transaction-file.ts';
import { genesisId } from '../ledger/genesis.ts';
import { type ProofError, type Verified, verifyProof } from '../ledger/proof.ts';
import { type Bytes, fromUtf8 } from '../ledger/types/bytes.ts';
import { FaultError } from '../ledger/types/errors.ts';
import { readGenesis } from './facts.ts';

/** What the proof proves. Throws the code of what is wrong with it. */
export function verifyFile(file: string, genesisFile: string): Verified {
  const genesis = readGenesis(genesisFile);
  const verdict = verifyProof(readProof(file), {
    genesisId: genesisId(genesis),
    chainId: genesis.chainId,
    engine: genesis.consensus.engine,
    validators: genesis.validators.map(({ key, power }) => ({ key, power })),
  });
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
    hint:
      code === 'PROOF_OF_OTHER_CHAIN' || code === 'PROOF_VALIDATORS'
        ? 'check that this is the genesis.json of the network it is about'
        : 'get it anew from a node: quorate tx proof',
    data,
  });
}
