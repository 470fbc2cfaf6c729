/** A canonical encoding of a core's whole state: equal for equal histories, whatever the order of its maps. */
import { type Bytes, compareBytes } from '../../ledger/types/bytes.ts';
import { bool, bytes, type Codec, encode, list, option, struct, text, uint } from '../../ledger/types/codec.ts';
import { header } from '../../ledger/types/header.ts';
import { hash, publicKey } from '../../ledger/types/ids.ts';
import { SIGNATURE_BYTES } from '../../ledger/types/transaction.ts';
import { VALIDATORS_MAX, validatorSet } from '../../ledger/types/validator.ts';
import { voteCertificate } from '../certificate.ts';
import { message } from './codec.ts';
import { voteRecord } from './record.ts';
import type { Instance, State } from './state.ts';
import { justification } from './statement.ts';

/** Far above what the bounds of the state let it grow to; a digest is never sent. */
const DIGEST_BYTES_MAX = 64 * 1024 * 1024;

const blob = bytes(DIGEST_BYTES_MAX);
const blobs = list(blob, DIGEST_BYTES_MAX);
const word = text(256);
const signature = bytes(SIGNATURE_BYTES);
const statement = struct({ signed: blob, signature });
const change = struct({ signed: blob, signature, prepared: option(voteCertificate) });
const early = struct({ message, signature });
const mandate = struct({ block: option(hash), justification });
const job = struct({ id: word, mandate: option(mandate) });
const proposal = struct({ block: hash, kind: word, holders: list(publicKey, VALIDATORS_MAX) });
const report = struct({ height: uint(), recorded: bool });

/** The entries of a map, each encoded, sorted by their encoding. */
function map<K, V>(key: Codec<K>, value: Codec<V>, entries: Iterable<readonly [K, V]>): Bytes {
  const entry = struct<{ key: K; value: V }>({ key, value });
  const encoded = [...entries].map(([each, of]) => encode(entry, { key: each, value: of }));
  return encode(blobs, encoded.sort(compareBytes));
}

const set = (words: Iterable<string>): Bytes =>
  map(
    word,
    bool,
    [...words].map(each => [each, true] as const),
  );

function instanceParts(instance: Instance): readonly Bytes[] {
  const { begun, begunAt, buildAt, proposedAt, adopted, wanted, decision } = instance;
  const times = struct({ begun: bool, begunAt: uint(), buildAt: uint(), proposedAt: option(uint()), adopted: bool });
  return [
    encode(times, { begun, begunAt, buildAt, proposedAt, adopted }),
    encode(option(hash), wanted),
    encode(option(voteCertificate), decision),
    encode(option(job), instance.job),
    encode(option(proposal), instance.proposal),
    map(publicKey, statement, instance.proposals),
    map(publicKey, statement, instance.prepares),
    map(publicKey, statement, instance.commits),
    map(publicKey, change, instance.changes),
    map(hash, word, instance.verdicts),
    set(instance.reported),
  ];
}

export function digestOf(state: State): Bytes {
  const { head, record, later, certificate, work, adoptedAt, nonce, viewChanges, equivocations } = state;
  const numbers = list(uint(), 16);
  const earlyBallots = [...state.early].flatMap(([from, kept]) =>
    [...kept].map(([type, ballot]) => [`${from} ${type}`, ballot] as const),
  );
  return encode(blobs, [
    encode(hash, head.id),
    encode(header, head.header),
    encode(validatorSet, state.validators),
    encode(voteRecord, record),
    encode(option(voteRecord), later),
    encode(option(voteCertificate), certificate),
    encode(option(uint()), work),
    encode(numbers, [state.now, adoptedAt, nonce, viewChanges, equivocations, ...state.rng.words]),
    encode(list(bool, 2), [state.amnesic, state.patient]),
    ...instanceParts(state.instance),
    map(hash, header, state.headers),
    map(publicKey, report, state.reports),
    map(word, early, earlyBallots),
    map(publicKey, uint(), state.finals),
    map(word, uint(), state.answeredAt),
    set(state.missed),
    map(publicKey, uint(), state.heardAt),
    map(word, uint(), state.timers),
  ]);
}
