/** What a lying peer says in block sync: true answers that are bent, cut, stretched or held back. */
import { blockId } from '../../ledger/crypto/ids.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { decodeOwn, encode } from '../../ledger/types/codec.ts';
import type { Height, Millis } from '../../ledger/types/ids.ts';
import { type CertifiedBlock, certifiedBlock } from '../../node/network/certified-block.ts';
import type { RequestFailure } from '../../node/network/requests.ts';

export interface Answer {
  readonly frames: readonly Bytes[];
  /** Complete (null), failed, or none at all. */
  readonly end: RequestFailure | 'silence' | null;
  /** Time between two frames. */
  readonly everyMs: Millis;
}

export type Lie = (truth: readonly Bytes[]) => Answer;

export const truly: Lie = frames => ({ frames, end: null, everyMs: 0 });

/** The first block told otherwise, the others as they are. */
const bending =
  (bend: (block: CertifiedBlock) => CertifiedBlock): Lie =>
  ([first, ...others]) =>
    truly(first === undefined ? [] : [encode(certifiedBlock, bend(decodeOwn(certifiedBlock, first))), ...others]);

const half = (frames: readonly Bytes[]): readonly Bytes[] => frames.slice(0, Math.ceil(frames.length / 2));

/** By name. A single block is told with the lies that apply to it. */
export const LIES: ReadonlyMap<string, Lie> = new Map<string, Lie>([
  ['a block without its certificate', bending(({ block }) => ({ block, certificate: null }))],
  [
    'a block certified by one',
    bending(({ block, certificate }) => ({
      block,
      certificate: certificate && { ...certificate, signatures: certificate.signatures.slice(0, 1) },
    })),
  ],
  [
    'a block with every transaction twice',
    bending(({ block, certificate }) => ({
      block: { ...block, transactions: [...block.transactions, ...block.transactions] },
      certificate,
    })),
  ],
  [
    'another block under the same signatures',
    bending(({ block, certificate }) => {
      const header = { ...block.header, time: block.header.time + 1 };
      return { block: { ...block, header }, certificate: certificate && { ...certificate, block: blockId(header) } };
    }),
  ],
  ['a block of another height', frames => truly([...frames.slice(1, 2), ...frames.slice(1)])],
  ['a truncated frame', ([first, ...others]) => truly(first === undefined ? [] : [first.slice(0, -1), ...others])],
  ['an over-long answer', frames => truly([...frames, ...frames.slice(-1)])],
  // As the asker's connection finds it, which takes no more than so many bytes of an answer.
  ['an endless answer', frames => ({ frames, end: 'RESPONSE_TOO_LARGE', everyMs: 0 })],
  ['nothing, ever', () => ({ frames: [], end: 'silence', everyMs: 0 })],
  ['half of the answer, then nothing', frames => ({ frames: half(frames), end: 'silence', everyMs: 0 })],
  [
    'half of the answer, then the end of the connection',
    frames => ({ frames: half(frames), end: 'REQUEST_CUT', everyMs: 0 }),
  ],
  // Each frame just within its time.
  ['a trickle', frames => ({ frames, end: null, everyMs: 4000 })],
  ['no blocks', () => truly([])],
  ['one block at a time', frames => truly(frames.slice(0, 1))],
]);

/** A height that nobody has, or not yet. */
export const boast = (height: Height, draw: (bound: number) => number): Height => height + 1 + draw(1000);
