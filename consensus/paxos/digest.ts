/** A canonical encoding of a core's whole state: equal for equal histories, whatever the order of its maps. */
import { type Bytes, compareBytes } from '../../ledger/types/bytes.ts';
import { bool, bytes, type Codec, encode, list, option, struct, text, uint } from '../../ledger/types/codec.ts';
import { header } from '../../ledger/types/header.ts';
import { hash, publicKey } from '../../ledger/types/ids.ts';
import { SIGNATURE_BYTES } from '../../ledger/types/transaction.ts';
import { validatorSet } from '../../ledger/types/validator.ts';
import { voteCertificate } from '../certificate.ts';
import { accepted, message, round } from './codec.ts';
import { acceptorRecord } from './record.ts';
import type { Instance, Leadership, State } from './state.ts';

/** Far above what the bounds of the state let it grow to; a digest is never sent. */
const DIGEST_BYTES_MAX = 64 * 1024 * 1024;

const blob = bytes(DIGEST_BYTES_MAX);
const blobs = list(blob, DIGEST_BYTES_MAX);
const word = text(256);
const vote = struct({ view: uint(), block: hash, signed: blob, signature: bytes(SIGNATURE_BYTES) });
const proposal = struct({ round, proposer: publicKey, block: hash, fresh: bool });
const leader = struct({ round, proposer: publicKey, since: uint(), heardAt: uint() });
const report = struct({ height: uint(), recorded: bool });

/** The entries of a map, each encoded, sorted by their encoding. */
function map<K, V>(key: Codec<K>, value: Codec<V>, entries: Iterable<readonly [K, V]>): Bytes {
  const entry = struct<{ key: K; value: V }>({ key, value });
  const encoded = [...entries].map(([each, of]) => encode(entry, { key: each, value: of }));
  return encode(blobs, encoded.sort(compareBytes));
}

function instanceParts(instance: Instance): readonly Bytes[] {
  const { proposedAt, buildAt, adopted, wanted, job, decision } = instance;
  return [
    encode(struct({ proposedAt: uint(), buildAt: uint(), adopted: bool }), { proposedAt, buildAt, adopted }),
    encode(option(hash), wanted),
    encode(option(word), job),
    encode(option(voteCertificate), decision),
    encode(option(proposal), instance.proposal),
    map(publicKey, vote, instance.accepts),
    map(hash, word, instance.verdicts),
    map(
      publicKey,
      bool,
      [...instance.reported].map(each => [each, true] as const),
    ),
  ];
}

function leadershipParts(leadership: Leadership | null): readonly Bytes[] {
  if (leadership === null) return [];
  const { height, since, leading } = leadership;
  return [
    encode(struct({ round, height: uint(), since: uint(), leading: bool }), {
      round: leadership.round,
      height,
      since,
      leading,
    }),
    map(publicKey, option(accepted), leadership.promises),
  ];
}

export function digestOf(state: State): Bytes {
  const { adoptedAt, askedAt, nonce, seenRound, attempts, freeAt, patienceMs, renewedAt } = state;
  const numbers = [adoptedAt, askedAt, nonce, seenRound, attempts, freeAt, patienceMs, renewedAt];
  const counts = [state.now, state.leaderChanges, state.equivocations, ...state.rng.words];
  return encode(blobs, [
    encode(hash, state.head.id),
    encode(header, state.head.header),
    encode(validatorSet, state.validators),
    encode(acceptorRecord, state.record),
    encode(option(voteCertificate), state.certificate),
    encode(option(uint()), state.work),
    encode(list(uint(), 16), [...numbers, ...counts]),
    encode(list(bool, 2), [state.amnesic, state.patient]),
    encode(option(leader), state.leader),
    encode(blobs, leadershipParts(state.leadership)),
    ...instanceParts(state.instance),
    map(hash, header, state.headers),
    map(publicKey, report, state.reports),
    map(publicKey, message, state.early),
    map(publicKey, uint(), state.finals),
    map(word, uint(), state.answeredAt),
    map(publicKey, uint(), state.heardAt),
    map(word, uint(), state.timers),
  ]);
}
