import { verify } from '#crypto';
import type { Bytes } from '../../types/bytes.ts';
import { BYZANTINE_COMMIT, votePayload } from '../../types/certificate.ts';
import { type Codec, fixed, mapped, struct, uint } from '../../types/codec.ts';
import { type BlockId, type ChainId, type Height, hash, height, type NodeId, publicKey } from '../../types/ids.ts';
import type { Tag } from '../../types/tags.ts';
import { SIGNATURE_BYTES } from '../../types/transaction.ts';

/** The statements about a block of which an honest validator signs one for each (height, view), by their domain tags. */
export const EVIDENCE_TAGS = {
  proposal: 'quorate/pbft/proposal/1',
  prepare: 'quorate/pbft/prepare/1',
  commit: BYZANTINE_COMMIT.tag,
} as const satisfies Record<string, Tag>;
export type EvidencePhase = keyof typeof EVIDENCE_TAGS;

/** On the wire a phase is its place in this list. */
const PHASES: readonly EvidencePhase[] = ['proposal', 'prepare', 'commit'];

export interface SignedBlock {
  readonly block: BlockId;
  readonly signature: Bytes;
}

/** Two statements of one validator for one (height, view) of one phase. */
export interface Equivocation {
  readonly offender: NodeId;
  readonly height: Height;
  readonly view: number;
  readonly phase: EvidencePhase;
  readonly first: SignedBlock;
  readonly second: SignedBlock;
}

const phase: Codec<EvidencePhase> = mapped(
  uint(PHASES.length - 1),
  index => PHASES[index]!,
  value => PHASES.indexOf(value),
);
const signedBlock = struct<SignedBlock>({ block: hash, signature: fixed(SIGNATURE_BYTES) });

export const equivocation = struct<Equivocation>({
  offender: publicKey,
  height,
  view: uint(2 ** 32 - 1),
  phase,
  first: signedBlock,
  second: signedBlock,
});

/** Whether the offender signed both: with its key alone, and on this chain. */
export function signedBoth(chainId: ChainId, { offender, height, view, phase, first, second }: Equivocation): boolean {
  return [first, second].every(({ block, signature }) =>
    verify(offender, votePayload(EVIDENCE_TAGS[phase], chainId, height, view, block), signature),
  );
}
