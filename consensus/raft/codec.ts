/** The wire form of Raft's messages (docs/protocol.md, "Consensus messages"). Written numbers: a change is a new protocol. */
import { bool, type Codec, list, struct, uint, union } from '../../ledger/types/codec.ts';
import { hash, height } from '../../ledger/types/ids.ts';
import { signerSignatures } from '../certificate.ts';
import { LOG_ENTRIES_MAX } from './log.ts';
import type { Message } from './messages.ts';
import { term } from './term.ts';

/** The largest message is a decision with the signatures of 128 validators: 13 KB. An append of a full log has 1 KB. */
export const MESSAGE_BYTES_MAX = 16 * 1024;

export const nonce: Codec<number> = uint(2 ** 48 - 1);

/** What the messages hold beside their type, which is also what they sign where they are no votes. */
export const bodies = {
  'pre-vote': struct({ term, lastTerm: term, lastHeight: height, height }),
  'vote-request': struct({ term, lastTerm: term, lastHeight: height, transfer: bool }),
  vote: struct({ term, pre: bool, granted: bool, height }),
  append: struct({ term, height, block: hash, entries: list(hash, LOG_ENTRIES_MAX), beat: bool }),
  'append-reply': struct({ term, height }),
  ack: struct({ term, height, block: hash }),
  decision: struct({ term, height, block: hash, signatures: signerSignatures }),
  'timeout-now': struct({ term }),
  'status-request': struct({ height, nonce }),
  status: struct({ height, nonce, term, lastHeight: height, recorded: bool }),
} as const;

export const message: Codec<Message> = union({
  'pre-vote': [1, bodies['pre-vote']],
  'vote-request': [2, bodies['vote-request']],
  vote: [3, bodies.vote],
  append: [4, bodies.append],
  'append-reply': [5, bodies['append-reply']],
  ack: [6, bodies.ack],
  decision: [7, bodies.decision],
  'timeout-now': [8, bodies['timeout-now']],
  'status-request': [9, bodies['status-request']],
  status: [10, bodies.status],
});
