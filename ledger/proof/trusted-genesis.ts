import { type Genesis, genesisId } from '../genesis.ts';
import { genesisBlock } from '../genesis-block.ts';
import type { Header } from '../types/header.ts';
import type { ChainId, Hash } from '../types/ids.ts';
import type { ValidatorSet } from '../types/validator.ts';
import { readWorkParams, WORK_ENGINE, type WorkParams } from '../types/work/params.ts';

/** What a verifier must have from a source that it trusts. */
export interface TrustedGenesis {
  readonly genesisId: Hash;
  readonly chainId: ChainId;
  readonly engine: string;
  readonly validators: ValidatorSet;
  /** What work is judged by. null: of another engine than `pow`, or with parameters that this version does not know. */
  readonly work: WorkTerms | null;
}

export interface WorkTerms {
  /** The header of block 0. */
  readonly origin: Header;
  readonly params: WorkParams;
}

export function trustedGenesis(genesis: Genesis): TrustedGenesis {
  const { chainId, consensus, validators } = genesis;
  return {
    genesisId: genesisId(genesis),
    chainId,
    engine: consensus.engine,
    validators: validators.map(({ key, power }) => ({ key, power })),
    work: consensus.engine === WORK_ENGINE ? workTerms(genesis) : null,
  };
}

function workTerms(genesis: Genesis): WorkTerms | null {
  const { params: times, own } = genesis.consensus;
  const params = readWorkParams(times.viewTimeoutMs, own);
  return params && { origin: genesisBlock(genesis).state.header, params };
}
