/** The wire form of the messages (docs/protocol.md, "Consensus messages"). Written numbers: a change is a new protocol. */
import { bool, type Codec, option, struct, uint, union } from '../../ledger/types/codec.ts';
import { hash, height } from '../../ledger/types/ids.ts';
import { signerSignatures, view, voteCertificate } from '../certificate.ts';
import type { Message } from './messages.ts';
import { justification } from './statement.ts';

/**
 * The largest message is a proposal with a round change and a prepare of each of 128 validators: 31 KB. Without a bound
 * a peer could make a node hold and hash megabytes for one vote.
 */
export const MESSAGE_BYTES_MAX = 40 * 1024;

export const nonce: Codec<number> = uint(2 ** 48 - 1);
export const recorded: Codec<boolean> = bool;

export const message: Codec<Message> = union({
  proposal: [1, struct({ height, view, block: hash, justification: option(justification) })],
  prepare: [2, struct({ height, view, block: hash })],
  commit: [3, struct({ height, view, block: hash })],
  'round-change': [4, struct({ height, view, prepared: option(voteCertificate) })],
  decision: [5, struct({ height, view, block: hash, signatures: signerSignatures })],
  'status-request': [6, struct({ height, nonce })],
  status: [7, struct({ height, nonce, recorded })],
});
