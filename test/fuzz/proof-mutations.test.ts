/**
 * Changed proof bundles. None may verify but one that the builder itself makes: not after the change of any byte, nor
 * after thousands of seeded changes of structure with parts of other bundles of the chain and of its twins.
 */
import { describe, expect, test } from 'vitest';
import { below, type Rng, rng } from '../../consensus/rng.ts';
import { sha256Hex } from '../../ledger/crypto/native.ts';
import { bundle } from '../../ledger/proof/bundle.ts';
import type { Verified } from '../../ledger/proof/verdict.ts';
import { verifyProof } from '../../ledger/proof.ts';
import { InvariantError } from '../../ledger/types/assert.ts';
import { type Bytes, concatBytes, toHex, utf8 } from '../../ledger/types/bytes.ts';
import { decodeOwn, encode } from '../../ledger/types/codec.ts';
import { makeChain, setOf, stateKey } from '../unit/proof-chain.ts';
import { mineChain, workGenesis } from '../unit/work-chain.ts';

const validators = setOf({ a: 1, b: 1, c: 1, d: 1 });
const changes = new Map([
  [2, setOf({ a: 1, b: 1, c: 1, e: 1 })],
  [4, setOf({ a: 2, c: 1, e: 1, f: 3 })],
]);
const options = { length: 6, validators, changes };
const chain = makeChain({ chainId: 'fuzzed', ...options });
const twins = [
  makeChain({ chainId: 'fuzzed-2', ...options }),
  makeChain({ chainId: 'fuzzed', genesisId: sha256Hex(utf8('another')), ...options }),
];

const controls = [
  ['a transaction without set changes', chain.transactionProof(1, 1)],
  ['a transaction across two set changes', chain.transactionProof(6, 2)],
  ['a state entry across two set changes', chain.stateProof(6, stateKey(6))],
  ['an absence across one set change', chain.stateProof(4, 'nobody')],
] as const;

/** The bundle that the builder makes of what a bundle proved: one for each claim. */
function rebuilt({ height, claim }: Verified): Bytes {
  if (claim.type === 'state') return chain.stateProof(height, claim.key);
  return chain.transactionProof(
    height,
    chain.block(height).transactions.findIndex(each => each.id === claim.id),
  );
}

/** The code of the refusal. Nothing may verify but what the builder would have made: another claim at the most. */
function verdictOf(bytes: Bytes): string {
  const result = verifyProof(bytes, chain.genesis);
  if (!result.ok) return result.error.code;
  expect(toHex(rebuilt(result.value))).toBe(toHex(bytes));
  return 'ok';
}

function tally(mutants: Iterable<Bytes>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const mutant of mutants) {
    const verdict = verdictOf(mutant);
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  }
  return counts;
}

const printed = (title: string, counts: Map<string, number>): void => {
  const line = [...counts].map(([code, count]) => `${code} ${count}`).join(', ');
  process.stdout.write(`${title}: ${line}\n`);
};

describe.each(controls)('%s', (title, bytes) => {
  test('verifies as it was built, and with no byte changed, cut or added', () => {
    expect(verdictOf(bytes)).toBe('ok');
    const flipped = Array.from(bytes, (_, at) => [1, 0x80].map(bit => bytes.with(at, bytes[at]! ^ bit))).flat();
    const counts = tally(flipped);
    printed(`${title}, ${bytes.length} bytes`, counts);
    expect(counts.get('ok')).toBeUndefined();
    expect(counts.get('CERTIFICATE_SIGNATURE')).toBeGreaterThan(100);
    const cut = Array.from(bytes, (_, at) => bytes.slice(0, at));
    expect([...tally([...cut, concatBytes(bytes, Uint8Array.of(0))]).keys()]).toEqual(['PROOF_MALFORMED']);
  });
});

describe('a bundle of work', () => {
  /** Many hashes for a block, so that no change of a byte in the last one makes it another that took its work. */
  const genesis = workGenesis({ finalityDepth: 1, hardnessStartBits: 14, hardnessMinBits: 14 });
  const worked = mineChain(genesis, 3);
  const verdict = (bytes: Bytes): string => {
    const result = verifyProof(bytes, genesis);
    return result.ok ? 'ok' : result.error.code;
  };

  test.each([
    ['of a transaction', worked.transactionProof(2, 1)],
    ['of a state entry', worked.stateProof(2, stateKey(1))],
  ])('%s verifies as it was built, and with no byte changed, cut or added', (title, bytes) => {
    expect(verdict(bytes)).toBe('ok');
    const flipped = Array.from(bytes, (_, at) =>
      [1, 0x80].map(bit => verdict(bytes.with(at, bytes[at]! ^ bit))),
    ).flat();
    const counts = new Map<string, number>();
    for (const code of flipped) counts.set(code, (counts.get(code) ?? 0) + 1);
    printed(`work ${title}, ${bytes.length} bytes`, counts);
    expect(counts.get('ok')).toBeUndefined();
    expect(counts.get('PROOF_WORK')).toBeGreaterThan(1_000);
    const cut = Array.from(bytes, (_, at) => verdict(bytes.slice(0, at)));
    expect(new Set([...cut, verdict(concatBytes(bytes, Uint8Array.of(0)))])).toEqual(new Set(['PROOF_MALFORMED']));
  });
});

/** A place in a decoded bundle: the container and the key in it. */
interface Place {
  readonly parent: Record<string, unknown>;
  readonly key: string;
  readonly path: string;
}

function places(value: unknown, path = '', found: Place[] = []): Place[] {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return found;
  for (const key of Object.keys(value)) {
    const place = { parent: value as Record<string, unknown>, key, path: `${path}/${key}` };
    found.push(place);
    places(place.parent[key], place.path, found);
  }
  return found;
}

const pick = <T>(random: Rng, items: readonly T[]): T => items[below(random, items.length)]!;

/** A value of the same kind, a little different. */
function altered(random: Rng, value: unknown): unknown {
  if (typeof value === 'number') return pick(random, [0, 1, value + 1, Math.max(0, value - 1), value * 2]);
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') {
    const at = below(random, value.length + 1);
    return `${value.slice(0, at)}${pick(random, ['0', '1', 'a', 'f'])}${value.slice(at + 1)}`;
  }
  if (value instanceof Uint8Array) {
    const at = below(random, value.length + 1);
    return at === value.length ? concatBytes(value, Uint8Array.of(0)) : value.with(at, value[at]! ^ 4);
  }
  return value === null ? new Uint8Array(0) : null;
}

function changeList(random: Rng, items: unknown[]): void {
  const from = below(random, items.length);
  const to = below(random, items.length);
  const action = below(random, 4);
  if (action === 0) items.splice(from, 1);
  else if (action === 1) items.splice(to, 0, items[from]);
  else if (action === 2) [items[from], items[to]] = [items[to], items[from]];
  else items.splice(from);
}

const donors = [1, 2, 3, 4, 5, 6].flatMap(height => [
  ...chain.block(height).transactions.map((_, index) => chain.transactionProof(height, index)),
  chain.stateProof(height, stateKey(height)),
  chain.stateProof(height, 'nobody'),
]);
for (const twin of twins)
  for (const height of [1, 3, 6]) donors.push(twin.transactionProof(height, 2), twin.stateProof(height, stateKey(6)));

/** What each donor has in each place. */
const parts = donors.map(
  bytes => new Map(places(decodeOwn(bundle, bytes)).map(({ path, parent, key }) => [path, parent[key]])),
);

/** Changes one place: its list, its value, or one for the other with another place or another bundle. */
function mutate(random: Rng, target: unknown): void {
  const place = pick(random, places(target));
  const { parent, key, path } = place;
  const value = parent[key];
  const action = below(random, 3);
  if (action === 0) {
    const donor = pick(random, parts);
    if (donor.has(path)) parent[key] = structuredClone(donor.get(path));
  } else if (Array.isArray(value) && value.length > 0) changeList(random, value);
  else if (typeof value !== 'object' || value instanceof Uint8Array || value === null)
    parent[key] = altered(random, value);
  else {
    const other = pick(random, places(target));
    parent[key] = structuredClone(other.parent[other.key]);
  }
}

/** Bytes moved about, for what has no decoded form. */
function spliced(random: Rng, bytes: Bytes): Bytes {
  const from = below(random, bytes.length);
  const piece = bytes.slice(from, from + 1 + below(random, 80));
  const to = below(random, bytes.length);
  const kept = below(random, 2) === 0 ? bytes : concatBytes(bytes.slice(0, from), bytes.slice(from + piece.length));
  return concatBytes(kept.slice(0, to), piece, kept.slice(to));
}

function* mutants(seed: bigint, count: number): Generator<Bytes> {
  const random = rng(seed);
  for (let made = 0; made < count; ) {
    const [, bytes] = pick(random, controls);
    let mutant: Bytes;
    if (below(random, 8) === 0) mutant = spliced(random, bytes);
    else {
      const decoded = decodeOwn(bundle, bytes);
      for (let steps = 1 + below(random, 3); steps > 0; steps--) mutate(random, decoded);
      try {
        mutant = encode(bundle, decoded);
      } catch (error) {
        // What the encoder itself will not write is no mutant; its bytes are among the spliced ones.
        if (error instanceof InvariantError || error instanceof TypeError) continue;
        throw error;
      }
    }
    if (toHex(mutant) === toHex(bytes)) continue;
    made++;
    yield mutant;
  }
}

test('no mutant of 10,000 verifies that the builder would not make', () => {
  const counts = tally(mutants(1n, 10_000));
  printed('10,000 mutants', counts);
  expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(10_000);
  expect(counts.get('ok') ?? 0).toBeLessThan(100);
  const expected = [
    'PROOF_MALFORMED',
    'PROOF_OF_OTHER_CHAIN',
    'PROOF_OF_OTHER_ENGINE',
    'PROOF_ANCESTRY',
    'PROOF_VALIDATORS',
    'PROOF_TRANSACTION',
    'PROOF_RECEIPT',
    'PROOF_STATE',
    'CERTIFICATE_OF_OTHER_BLOCK',
    'CERTIFICATE_PHASE',
    'CERTIFICATE_QUORUM',
    'CERTIFICATE_SIGNATURE',
  ];
  for (const code of expected) expect(counts.get(code) ?? 0, code).toBeGreaterThan(10);
});
