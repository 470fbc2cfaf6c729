/** The wire form of Paxos' messages (docs/protocol.md, "Consensus messages"). Written numbers: a change is a new protocol. */
import { bool, type Codec, option, struct, uint, union } from '../../ledger/types/codec.ts';
import { hash, height, publicKey } from '../../ledger/types/ids.ts';
import { signerSignatures, VIEW_MAX, view } from '../certificate.ts';
import type { Accepted, Message } from './messages.ts';

/** The largest message is a decision with the acceptances of 128 validators: 13 KB. */
export const MESSAGE_BYTES_MAX = 16 * 1024;

/** One round for each attempt to lead: at one in a second this lasts for a century. */
export const ROUND_MAX = VIEW_MAX;
export const round: Codec<number> = view;

export const nonce: Codec<number> = uint(2 ** 48 - 1);
export const accepted: Codec<Accepted> = struct({ round, block: hash });

/** Messages without attachments: what travels is what is signed. */
export const bodies = {
  prepare: struct({ height, round }),
  promise: struct({ height, round, proposer: publicKey, accepted: option(accepted), final: height }),
  nack: struct({ round, promised: round }),
  accept: struct({ height, round, block: hash, fresh: bool }),
  beat: struct({ height, round }),
  statusRequest: struct({ height, nonce }),
  status: struct({ height, nonce, recorded: bool }),
};

export const message: Codec<Message> = union({
  prepare: [1, bodies.prepare],
  promise: [2, bodies.promise],
  nack: [3, bodies.nack],
  accept: [4, bodies.accept],
  accepted: [5, struct({ height, round, block: hash })],
  beat: [6, bodies.beat],
  decision: [7, struct({ height, view, block: hash, signatures: signerSignatures })],
  'status-request': [8, bodies.statusRequest],
  status: [9, bodies.status],
});
