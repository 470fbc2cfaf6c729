/**
 * Every bound of the node in one place, each with what breaks without it. Times in ms. The relations between them are
 * asserted below, so that a change of one that needs a change of another does not start.
 */
import { assert } from '../ledger/types/assert.ts';
import { BLOCK_BYTES_MAX } from '../ledger/types/block.ts';
import { VALIDATORS_MAX } from '../ledger/types/validator.ts';

const KIB = 1024;
export const MIB = 1024 * 1024;

/** A whole block with its certificate and what stands around both. The largest thing that a peer may send at all. */
export const NETWORK_MESSAGE_BYTES_MAX = BLOCK_BYTES_MAX + 256 * KIB;

// Connections

/** Without it one address that opens sockets takes the node's descriptors. */
export const CONNECTIONS_MAX = 256;
/** Sockets whose handshake is not done; without it strangers hold memory and processor time. */
export const CONNECTIONS_PENDING_MAX = 64;
/** New sockets from one address per second. A whole network on one machine restarts within it. */
export const CONNECTIONS_PER_HOST_PER_SECOND_MAX = 64;
/** From the socket to the end of the handshake; without it a silent stranger keeps a pending place. */
export const HANDSHAKE_TIMEOUT_MS = 5_000;
/** Without it a peer that never says hello stays connected and is of no use. */
export const HELLO_TIMEOUT_MS = 5_000;
export const HELLO_BYTES_MAX = 1 * KIB;
/** Time for a last message to leave before a connection is cut. */
export const CLOSE_TIMEOUT_MS = 250;
/** Streams that a peer may hold open on one connection; each may buffer a window. */
export const STREAMS_INBOUND_MAX = 32;
export const STREAMS_OUTBOUND_MAX = 64;
/**
 * Unread bytes of one stream before its sender has to wait: at first, and after it has proved fast. Yamux' own 256 KiB
 * would make a block of two megabytes take eight round trips between continents.
 */
export const STREAM_WINDOW_BYTES = 1 * MIB;
export const STREAM_WINDOW_BYTES_MAX = 2 * MIB;
/** What a sender that ignores the window may make a stream hold before it is reset. */
export const STREAM_READ_BYTES_MAX = 4 * MIB;
/** Unsent bytes of one stream before it is reset: a peer that reads too slowly to follow is cut and comes back by sync. */
export const STREAM_WRITE_BYTES_MAX = 24 * MIB;

/** First wait before a configured peer is dialled again, doubled up to the second. A restarted peer is back within a second. */
export const REDIAL_MS_MIN = 100;
export const REDIAL_MS_MAX = 1_000;
/** After a refusal that only an operator can end, such as another genesis: dialling fast would only fill two logs. */
export const REDIAL_REFUSED_MS = 10_000;
export const DIAL_TIMEOUT_MS = 5_000;
/** A peer that was cut for what it sent is refused this long; without it, it is back at once and sends it again. */
export const BAN_MS = 10_000;
export const BANS_MAX = 1_000;
/** Two connections between the same two nodes within this time were dialled at once: the rule for that decides. */
export const DUPLICATE_MS = 3_000;

// Direct streams

/** The largest consensus message with its envelope. */
export const DIRECT_MESSAGE_BYTES_MAX = 1 * MIB;
/** Messages of one peer on one channel that are being judged; above it the peer waits, and not the votes of all others. */
export const DIRECT_JUDGING_MAX = 32;
/** How many a peer may send in a second on average, and how many at once: several times what fifty blocks a second take. */
export const DIRECT_MESSAGES_PER_SECOND_MAX = 500;
export const DIRECT_BURST_MAX = 1_000;
/** What waits for one peer on one channel. Above it the oldest is dropped: an undecided engine sends its latest again. */
export const DIRECT_QUEUE_MESSAGES_MAX = 4_096;
export const DIRECT_QUEUE_BYTES_MAX = 8 * MIB;
/** Messages of one tick leave in writes of about this size. */
export const DIRECT_WRITE_BYTES = 256 * KIB;

// Gossip

/** The gossip library frames no more than 4 MiB. A larger block is not pushed to anyone: who needs it fetches it by id. */
export const GOSSIP_FRAME_BYTES_MAX = 4 * MIB;
export const GOSSIP_MESSAGE_BYTES_MAX = GOSSIP_FRAME_BYTES_MAX - 1 * KIB;
/** Subscriptions, messages and control entries in one gossip frame; the library's own bounds are in the thousands. */
export const GOSSIP_FRAME_ENTRIES_MAX = 64;
/** Memory for one peer's subscriptions: a few topics, each charged its name and one KiB. */
export const GOSSIP_SUBSCRIPTION_BYTES_MAX = 16 * KIB;
/** How long a message is known as seen. Times the rate below it bounds what a flooding member makes the node remember. */
export const GOSSIP_SEEN_MS = 30_000;
/** New messages per second from one peer, and how many at once; a peer above it is cut. Each costs 0.4 ms. */
export const GOSSIP_MESSAGES_PER_SECOND_MAX = 1_000;
export const GOSSIP_BURST_MAX = 2_000;
/**
 * Messages per second that are passed on for one peer, and in all. Without it a peer that stays just below its own rate
 * makes the honest exceed theirs by passing on what it says, and they cut each other.
 */
export const GOSSIP_RELAYED_PER_PEER_MAX = 250;
export const GOSSIP_RELAYED_MAX = 500;
/** Messages of one peer that are being validated; above it further ones are ignored, neither kept nor forwarded. */
export const GOSSIP_VALIDATING_MESSAGES_MAX = 1_024;
export const GOSSIP_VALIDATING_BYTES_MAX = 8 * GOSSIP_MESSAGE_BYTES_MAX;
/** Rejected messages from one peer, of which it gets one forgiven per second; a peer above it is cut. */
export const GOSSIP_REJECTED_MAX = 16;
/** The same vote through gossip within this time is not passed on again, whatever stands around it. */
export const GOSSIP_VOTE_REPEAT_MS = 400;
export const GOSSIP_VOTES_REMEMBERED_MAX = 10_000;
/**
 * Batches and blocks are passed on after so long: whoever has one from its sender says so meanwhile where it is long enough
 * (IDONTWANT), and is not sent it again. Without it every node of a full mesh sends everything to all the others, in the very
 * moment in which votes are due.
 */
export const GOSSIP_RELAY_DELAY_MS = 50;
export const GOSSIP_ANNOUNCED_BYTES = 512;
/** Peers that a message is passed on to. A network up to this size is one full mesh. */
export const GOSSIP_MESH = 8;
export const GOSSIP_MESH_MIN = 6;
export const GOSSIP_MESH_MAX = 12;

// Requests

export const REQUEST_BYTES_MAX = 4 * KIB;
/**
 * Requests of one peer that are being answered, and of all peers beside the first of each. Without it block sync of others
 * starves consensus.
 */
export const REQUESTS_PER_PEER_MAX = 8;
export const REQUESTS_MAX = 16;
/** All frames of one answer. */
export const RESPONSE_BYTES_MAX = 2 * NETWORK_MESSAGE_BYTES_MAX;
/** Longest silence in the middle of an answer, on either side. */
export const REQUEST_IDLE_MS = 5_000;

// Block sync

/** An answer ends when it has reached this size; one block may exceed it. */
export const SYNC_RANGE_BYTES = 2 * MIB;
export const SYNC_RANGE_BLOCKS_MAX = 512;
/**
 * A peer that sent something false is not asked again for this long, one that kept us waiting for the other; doubled each time.
 */
export const SYNC_BAN_MS = 10_000;
export const SYNC_STALL_MS = 1_000;
export const SYNC_BAN_MS_MAX = 300_000;
/** Wait before the next round when no peer could help. */
export const SYNC_RETRY_MS = 250;
/** Waiting for one frame of an answer, and for all of one answer, however steadily it trickles. */
export const SYNC_FRAME_TIMEOUT_MS = 5_000;
export const SYNC_RANGE_TIMEOUT_MS = 20_000;
/** Blocks that are being fetched by id; without it a peer's votes for unknown blocks start requests without end. */
export const FETCHES_MAX = 64;

// Snapshots

/** A snapshot is cut into chunks of about this size: one is judged in some ten milliseconds, in which nothing else runs. */
export const SNAPSHOT_CHUNK_BYTES = 512 * KIB;
/** Each entry counts 64 bytes besides its value: more are no chunk's, and empty ones would be a hundred times larger in memory. */
export const SNAPSHOT_CHUNK_ENTRIES_MAX = SNAPSHOT_CHUNK_BYTES / 64;
/** A message of a chunk. One that holds a larger value is larger by that. */
export const SNAPSHOT_FRAME_BYTES = 4 * MIB;
/** What is gathered in memory before it goes to the disk, while the state is put in the order of its chunks. */
export const SNAPSHOT_GATHERED_BYTES = 32 * MIB;
/** Left free on the disk, for the node's own blocks and promises: a snapshot that would take of it is not made. */
export const SNAPSHOT_DISK_FREE_BYTES = 1024 * MIB;
/** After making one has failed, however often somebody asks. */
export const SNAPSHOT_RETRY_MS = 60_000;
/** A snapshot that is older is made anew when one is asked for, unless somebody is still fetching the old one. */
export const SNAPSHOT_AGE_MS = 600_000;
export const SNAPSHOT_IDLE_MS = 60_000;
/** Without it a peer that asks for a chunk now and then makes a node offer the same snapshot for ever. */
export const SNAPSHOT_AGE_MS_MAX = 3_600_000;
/** How often a peer that is still making its snapshot is asked again, and how long all of them are. Blocks are replayed meanwhile. */
export const SNAPSHOT_POLL_MS = 250;
export const SNAPSHOT_MAKING_MS_MAX = 120_000;
/** Blocks wait so long for a peer that has a snapshot, or makes a small one: on its word alone that it is far ahead. */
export const SNAPSHOT_HEAD_START_MS = 2_000;
/** Blocks wait so long for a snapshot that is being fetched. Without it a peer that gives one header in each answer keeps a node behind for ever. */
export const SNAPSHOT_FETCH_MS = 600_000;
/** Answers of one peer that are fetched at a time. */
export const SNAPSHOT_FETCHES = 4;
/** For a whole answer, however steadily it trickles. */
export const SNAPSHOT_ANSWER_TIMEOUT_MS = 20_000;
export const SNAPSHOT_HEADERS_PER_FRAME = 256;
/** Peers that fail half way before the blocks are replayed instead; whatever was fetched until then is not fetched again. */
export const SNAPSHOT_STALLS_MAX = 16;

// State

/** What is written at once of what leaves the memory; as much more is there meanwhile. */
export const STATE_PUT_AWAY_BYTES = 4 * MIB;
/** Branches of the state that are looked at before the event loop runs again: a millisecond or two. */
export const STATE_STEPS = 2_000;
/**
 * What of the cache is left free for what is read until the next block is final, and never more than this share of it: without it all
 * that a block reads would be read again when it is changed.
 */
export const STATE_FREE_BYTES = 64 * MIB;
export const STATE_FREE_SHARE = 1 / 4;
/** What of the cache's size a part of the state may have that is made in one piece as a node starts: larger ones are made of parts. */
export const STATE_PART_SHARE = 1 / 4;

// Verification

/** Signatures checked before the event loop runs again: 32 take about 1.7 ms. */
export const VERIFY_SLICE = 32;
/** Of these, what every class gets before the most urgent takes the rest: endless votes must not stop all other work. */
export const VERIFY_SHARE = 4;
/** Signatures that wait in one priority class, about two seconds of work; above it the answer is busy. */
export const VERIFY_QUEUE_MAX = 40_000;
/** Threads that verify, unless a setting says how many: one keeps up with what the event loop does besides, four check blocks soon. */
export const VERIFY_WORKERS_MAX = 4;
/**
 * Slices that a thread has at a time: one to check, and the next ones while the event loop executes a block. With fewer it stands idle
 * meanwhile; what is urgent waits behind them, 1.7 ms for each.
 */
export const VERIFY_BATCHES_PER_WORKER = 4;

// Transaction batches

/** Transactions leave in batches of about this size, or after the delay. */
export const BATCH_BYTES = 64 * KIB;
export const BATCH_DELAY_MS = 3;
export const BATCH_TRANSACTIONS_MAX = 2_000;
/** A batch may exceed {@link BATCH_BYTES} by its last transaction. */
export const BATCH_BYTES_MAX = 512 * KIB;

/** Signatures of clients' transactions that wait before further ones are told to come back: a quarter of a second's work. */
export const OWN_SIGNATURES_WAITING_MAX = 5_000;
/** The same for what other nodes send. What is ignored is missing from the pool when a block names it, and fetched with that. */
export const PEER_SIGNATURES_WAITING_MAX = 20_000;
/**
 * Transactions that wait for a block before clients are told to come back: as many as blocks recorded in so long, and at least
 * so many. Without it a node admits more than the network records until its pool is full, and all are busy with what waits.
 */
export const PACE_WINDOW_MS = 1_000;
export const OWN_POOL_MIN = 4_000;
/** When a client that was told "busy" should come back. */
export const BUSY_RETRY_MS = 250;
/** How long a transaction waits before it is sent around again, and how often. */
export const RESPREAD_MS = 1_000;

// Blocks that are not final

/** Bodies that this node asked for, made or voted on above the final height. */
export const HELD_BLOCKS_MAX = 64;
/** Bodies that one peer brought unasked; without it one peer fills the memory with blocks nobody proposed. */
export const OFFERED_BLOCKS_PER_PEER_MAX = 4;
/** How long executing transactions for a block of this node's own may take: every other validator takes as long again. */
export const BUILD_MS_MAX = 30;
/**
 * How long a body that a proposal names is waited for before it is asked for, since gossip brings it to everyone anyway: so long
 * in any case, and up to the second while transactions come in. Without it a busy node fetches what it is about to have.
 */
export const BODY_PATIENCE_MS = 100;
export const BODY_PATIENCE_MS_MAX = 500;
/** How often a body that nobody had is asked for, in all; a view has ended by then, and the next asks anew. */
export const BODY_FETCHES_MAX = 5;
/** When a verdict that found the verifier full is tried again. */
export const VERDICT_RETRY_MS = 20;
/** How far above the head a body is worth keeping. */
export const OFFERED_HEIGHTS_MAX = 2;

// Clients

/** Clients that wait for a transaction to become final. */
export const WAITERS_MAX = 20_000;
/** Evidence of equivocation that is kept: one validator can make any amount of it. */
export const EVIDENCE_MAX = 1_000;
/** How long a clean stop may take before the process ends all the same. */
export const STOP_TIMEOUT_MS = 15_000;

assert(STREAM_WINDOW_BYTES <= STREAM_WINDOW_BYTES_MAX, 'a stream would begin above its bound');
assert(STREAM_WINDOW_BYTES_MAX <= STREAM_READ_BYTES_MAX, 'an honest sender would overrun the read buffer');
assert(NETWORK_MESSAGE_BYTES_MAX * 2 <= STREAM_WRITE_BYTES_MAX, 'two blocks in a row would cut an honest peer');
assert(DIRECT_MESSAGE_BYTES_MAX <= DIRECT_QUEUE_BYTES_MAX, 'the largest direct message has no place in the queue');
assert(SYNC_RANGE_BYTES + NETWORK_MESSAGE_BYTES_MAX <= RESPONSE_BYTES_MAX, 'an honest range answer would be cut');
assert(
  2 * SNAPSHOT_FRAME_BYTES <= NETWORK_MESSAGE_BYTES_MAX,
  'a chunk of large values would not fit into its messages',
);
assert(SNAPSHOT_FETCHES < REQUESTS_PER_PEER_MAX, 'fetching a snapshot would leave no request for blocks');
assert(VALIDATORS_MAX <= CONNECTIONS_MAX, 'the validators of one network cannot all be connected');
assert(REQUESTS_PER_PEER_MAX + 8 <= STREAMS_INBOUND_MAX, 'requests would take the streams of votes and gossip');
assert(GOSSIP_MESH_MIN <= GOSSIP_MESH && GOSSIP_MESH <= GOSSIP_MESH_MAX, 'gossip mesh bounds are out of order');
assert(GOSSIP_RELAYED_PER_PEER_MAX <= GOSSIP_RELAYED_MAX, 'one peer may use more than what is passed on in all');
assert(
  2 * GOSSIP_RELAYED_MAX <= GOSSIP_MESSAGES_PER_SECOND_MAX,
  'passing on would leave no room for a word of its own',
);
assert(4 * VERIFY_SHARE < VERIFY_SLICE, 'the most urgent signatures would get nothing of a slice');
assert(BATCH_BYTES < BATCH_BYTES_MAX && BATCH_BYTES_MAX < NETWORK_MESSAGE_BYTES_MAX, 'batch sizes are out of order');
