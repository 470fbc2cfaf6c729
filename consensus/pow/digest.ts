/** A canonical encoding of a core's whole state: equal for equal histories, whatever the order of its maps. */
import { type Bytes, compareBytes } from '../../ledger/types/bytes.ts';
import {
  bigUint,
  bool,
  bytes,
  type Codec,
  encode,
  list,
  option,
  struct,
  text,
  uint,
} from '../../ledger/types/codec.ts';
import { header } from '../../ledger/types/header.ts';
import { hash, height, millis, publicKey } from '../../ledger/types/ids.ts';
import { validatorSet } from '../../ledger/types/validator.ts';
import { final, type State } from './state.ts';

/** Far above what the bounds of the state let it grow to; a digest is never sent. */
const DIGEST_BYTES_MAX = 64 * 1024 * 1024;

const blobs = list(bytes(DIGEST_BYTES_MAX), DIGEST_BYTES_MAX);
const word = text(256);
const work = bigUint(40);
const tip = struct({ id: hash, header, weight: work });
const config = struct({ validators: validatorSet });
const claim = struct({ height, block: hash, work, wanted: option(hash), at: millis });
const job = struct({ id: word, parent: hash, since: millis });
const announced = struct({ block: option(hash), at: millis });

/** The entries of a map, each encoded, sorted by their encoding. */
function map<K, V>(key: Codec<K>, value: Codec<V>, entries: Iterable<readonly [K, V]>): Bytes {
  const entry = struct<{ key: K; value: V }>({ key, value });
  const encoded = [...entries].map(([each, of]) => encode(entry, { key: each, value: of }));
  return encode(blobs, encoded.sort(compareBytes));
}

const set = <K>(key: Codec<K>, members: Iterable<K>): Bytes =>
  map(
    key,
    bool,
    [...members].map(each => [each, true] as const),
  );

export function digestOf(state: State): Bytes {
  const { tree, head, now, startedAt, buildAt, jobs, reorganisations } = state;
  return encode(blobs, [
    encode(list(uint(), 8), [now, startedAt, buildAt, jobs, reorganisations]),
    encode(list(hash, 2), [tree.root.id, head.id]),
    map(hash, tip, tree.blocks),
    map(hash, config, state.configs),
    set(hash, state.asked),
    // In order: the oldest is forgotten first.
    encode(list(hash, DIGEST_BYTES_MAX), [...state.refused]),
    map(hash, header, state.strays),
    set(hash, state.kept),
    encode(option(final), state.checkpoint),
    map(publicKey, claim, state.claims),
    map(publicKey, millis, state.doubted),
    set(hash, state.wanted),
    encode(option(millis), state.work),
    encode(option(job), state.job),
    encode(announced, state.announced),
    map(publicKey, millis, state.answeredAt),
    map(publicKey, millis, state.heardAt),
    map(word, millis, state.timers),
  ]);
}
