/**
 * The ledger after a final block, for a node that takes it over instead of executing every block (docs/protocol.md, "Snapshots"). Everything
 * here is proven from genesis: the block by certificates, its state by the root in its header, the blocks before it by their ids.
 */
import { blockId } from './crypto/ids.ts';
import { type FinalityProof, finalityProof } from './proof/bundle.ts';
import { checkFinality } from './proof/certified.ts';
import type { TrustedGenesis } from './proof/trusted-genesis.ts';
import type { ProofError } from './proof/verdict.ts';
import { type Chunk, chunksUnder, type Outline, outline } from './state/outline.ts';
import type { CertificateRule } from './types/certificate.ts';
import { type Codec, struct } from './types/codec.ts';
import { err, ok, type Result } from './types/errors.ts';
import type { Header } from './types/header.ts';

/** What a snapshot is of, and what it consists of. */
export interface Manifest {
  /** Of the block, which is the target. */
  readonly finality: FinalityProof;
  /** Of the state after it. */
  readonly state: Outline;
}

export const manifest: Codec<Manifest> = struct({ finality: finalityProof, state: outline });

export type ManifestError = ProofError | { readonly code: 'SNAPSHOT_OUTLINE' };

/** The chunks of the state after a block that is final on this genesis, under the rule of its engine. */
export function verifyManifest(
  { finality, state }: Manifest,
  genesis: TrustedGenesis,
  rule: CertificateRule,
): Result<readonly Chunk[], ManifestError> {
  const chunks = chunksUnder(finality.target.header.stateRoot, state);
  if (chunks === null) return err({ code: 'SNAPSHOT_OUTLINE' });
  const error = checkFinality(finality, genesis, rule);
  return error === null ? ok(chunks) : err(error);
}

/** Whether each of `headers` is of the block below the one before it, the first of the one below `above`. */
export function areBelow(above: Header, headers: readonly Header[]): boolean {
  let last = above;
  for (const header of headers) {
    if (header.height !== last.height - 1 || blockId(header) !== last.parent) return false;
    last = header;
  }
  return true;
}
