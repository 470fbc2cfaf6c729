/** A canonical encoding of a core's whole state: equal for equal histories, whatever the order of its maps. */
import { type Bytes, compareBytes, compareText } from '../../ledger/types/bytes.ts';
import { bool, bytes, type Codec, encode, list, option, struct, text, uint } from '../../ledger/types/codec.ts';
import { header } from '../../ledger/types/header.ts';
import { hash, height, publicKey } from '../../ledger/types/ids.ts';
import { SIGNATURE_BYTES } from '../../ledger/types/transaction.ts';
import { VALIDATORS_MAX, validatorSet } from '../../ledger/types/validator.ts';
import { signerSignatures } from '../certificate.ts';
import { bodies } from './codec.ts';
import { LOG_ENTRIES_MAX } from './log.ts';
import type { State } from './state.ts';
import { term } from './term.ts';

/** Far above what the bounds of the state let it grow to; a digest is never sent. */
const DIGEST_BYTES_MAX = 64 * 1024 * 1024;

const blob = bytes(DIGEST_BYTES_MAX);
const blobs = list(blob, DIGEST_BYTES_MAX);
const word = text(256);
const signature = bytes(SIGNATURE_BYTES);
const config = struct({ validators: validatorSet });
const decision = struct({ view: term, block: hash, signatures: signerSignatures });
const entry = struct({ id: hash, header, term, next: option(config) });
const campaign = struct({ stage: word, granted: list(publicKey, VALIDATORS_MAX) });
const incoming = struct({ from: publicKey, message: bodies.append });
const stored = struct({ base: height, log: list(hash, LOG_ENTRIES_MAX) });
const report = struct({ height, term, lastHeight: height, recorded: bool });
const numbers = list(uint(), 16);
const position = struct({ term, height });

/** The entries of a map, each encoded, sorted by their encoding. */
function map<K, V>(key: Codec<K>, value: Codec<V>, entries: Iterable<readonly [K, V]>): Bytes {
  const pair = struct<{ key: K; value: V }>({ key, value });
  const encoded = [...entries].map(([each, of]) => encode(pair, { key: each, value: of }));
  return encode(blobs, encoded.sort(compareBytes));
}

export function digestOf(state: State): Bytes {
  const { head, log, acks, verdicts } = state;
  const acked = [...acks].flatMap(([at, signers]) => [...signers].map(([key, of]) => [`${at} ${key}`, of] as const));
  const asked = [...verdicts].flatMap(([id, verdict]) => (typeof verdict === 'string' ? [[id, verdict] as const] : []));
  const given = [...verdicts].flatMap(([id, verdict]) => (typeof verdict === 'string' ? [] : [[id, verdict] as const]));
  return encode(blobs, [
    encode(hash, head.id),
    encode(header, head.header),
    encode(option(term), head.parentTerm),
    encode(validatorSet, state.validators),
    encode(list(entry, LOG_ENTRIES_MAX), log),
    encode(option(stored), state.stored),
    encode(option(publicKey), state.vote),
    encode(option(publicKey), state.leader),
    encode(list(word, 1), [state.role]),
    encode(
      option(campaign),
      state.campaign && { ...state.campaign, granted: [...state.campaign.granted].sort(compareText) },
    ),
    encode(option(word), state.job),
    encode(option(incoming), state.incoming),
    encode(option(decision), state.certificate),
    encode(option(decision), state.decision),
    encode(option(hash), state.wanted),
    encode(option(position), state.horizon),
    encode(option(struct({ from: publicKey, height })), state.rumour),
    encode(option(uint()), state.work),
    encode(numbers, numbersOf(state)),
    encode(list(bool, 3), [state.adopted, state.amnesic, state.patient]),
    map(word, signature, acked),
    map(hash, word, asked),
    map(hash, config, given),
    map(height, decision, state.early),
    map(hash, header, state.headers),
    map(publicKey, report, state.reports),
    map(publicKey, uint(), state.finals),
    map(publicKey, uint(), state.contacts),
    map(word, uint(), state.answeredAt),
    map(word, uint(), state.timers),
  ]);
}

function numbersOf(state: State): readonly number[] {
  const { now, term, adoptedAt, heardAt, attempts, buildAt, ackedTo, nonce, seenTerm, elections, rng } = state;
  return [now, term, adoptedAt, heardAt, attempts, buildAt, ackedTo, nonce, seenTerm, elections, ...rng.words];
}
