import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstVote, type Report } from '../../../consensus/amnesia.ts';
import { message as codec, MESSAGE_BYTES_MAX } from '../../../consensus/bft/codec.ts';
import { evidenceOf, verifyEvidence } from '../../../consensus/bft/evidence.ts';
import { claimsOf, type Message, signed, TAGS } from '../../../consensus/bft/messages.ts';
import { emptyRecord, recordIn, writeOf } from '../../../consensus/bft/record.ts';
import type { Phase, Prepared } from '../../../consensus/bft/statement.ts';
import { leaderOf } from '../../../consensus/pbft/leader.ts';
import { byzantineQuorum } from '../../../consensus/quorum.ts';
import { proposalDue, shortTimeout, viewTimeout } from '../../../consensus/timers.ts';
import { noveltyOf, quorumOf, withStatement } from '../../../consensus/votes.ts';
import { compareText, toHex } from '../../../ledger/types/bytes.ts';
import { decode, encode } from '../../../ledger/types/codec.ts';
import type { BlockId, ChainId, NodeId } from '../../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../../ledger/types/validator.ts';
import { CHAIN_ID } from '../../simulation/chain.ts';
import { keyOf, stubSign } from '../../simulation/keys.ts';
import { PARAMS } from '../../simulation/world.ts';

const idOf = (n: number) => n.toString(16).padStart(64, '0') as BlockId;
const equals = (n: number): ValidatorSet => Array.from({ length: n }, (_, i) => ({ key: keyOf(i + 1), power: 1 }));
const signature = new Uint8Array(64);

describe('leader', () => {
  it("of (h, v) is the (v + 1)-th after the parent's proposer in set order", () => {
    const set = equals(4);
    for (let proposer = 0; proposer < 4; proposer++) {
      for (let view = 0; view < 9; view++) {
        expect(leaderOf(set, set[proposer]!.key, view)).toBe(set[(proposer + 1 + view) % 4]!.key);
      }
    }
  });

  it('where the proposer is no validator, counts from where it would stand', () => {
    const set = [keyOf(2), keyOf(4), keyOf(6)].map(key => ({ key, power: 1 }));
    expect([0, 3, 5, 7].map(each => leaderOf(set, keyOf(each), 0))).toEqual([keyOf(2), keyOf(4), keyOf(6), keyOf(2)]);
  });

  it('every validator leads one of any n views in a row', () => {
    const set = equals(7);
    expect(new Set([4, 5, 6, 7, 8, 9, 10].map(view => leaderOf(set, keyOf(3), view))).size).toBe(7);
    expect(leaderOf(set, keyOf(7), 2 ** 32 - 1)).toBe(set[(2 ** 32 - 1) % 7]!.key);
  });
});

describe('timeouts', () => {
  it.each([
    [0, 1000],
    [1, 2000],
    [2, 4000],
    [3, 8000],
    [4, 8000],
    [33, 8000],
    [64, 8000],
    [1_000_000, 8000],
    [2 ** 32 - 1, 8000],
  ])('GoQuorum #1664: view %i waits %i ms, never less for being later', (view, expected) => {
    expect(viewTimeout(PARAMS, view)).toBe(expected);
  });

  it('a leader who missed its turn gets a quarter, but no less than the network needs', () => {
    expect([4000, 1000, 300, 50].map(viewTimeoutMs => shortTimeout({ ...PARAMS, viewTimeoutMs }))).toEqual([
      1000, 250, 100, 50,
    ]);
  });

  it('a block is due at once for waiting work, after the interval, or at the heartbeat', () => {
    expect(proposalDue(PARAMS, 1000, 5000)).toBe(5000);
    expect(proposalDue(PARAMS, 1000, 10)).toBe(1020);
    expect(proposalDue(PARAMS, 1000, null)).toBe(11_000);
  });
});

describe('votes', () => {
  const vote = (view: number, block: number) => ({
    view,
    block: idOf(block),
    signed: Uint8Array.of(view, block),
    signature,
  });

  it('the latest of a validator counts, and of one view the first', () => {
    const one = withStatement(new Map(), keyOf(1), vote(3, 7));
    expect([vote(2, 7), vote(3, 7), vote(3, 8), vote(4, 8)].map(each => noveltyOf(one, keyOf(1), each))).toEqual([
      'older',
      'known',
      'conflict',
      'new',
    ]);
    expect(noveltyOf(one, keyOf(2), vote(0, 1))).toBe('new');
  });

  it('a quorum is of one view and one block, and never two at once', () => {
    const entry = fc.tuple(fc.nat(2), fc.nat(1));
    fc.assert(
      fc.property(fc.array(entry, { minLength: 4, maxLength: 10 }), entries => {
        const set = equals(entries.length);
        let votes = new Map();
        entries.forEach(([view, block], i) => {
          votes = new Map(withStatement(votes, keyOf(i + 1), vote(view, block)));
        });
        const counts = new Map<string, number>();
        for (const [view, block] of entries) {
          const key = `${view} ${idOf(block)}`;
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
        const quorum = byzantineQuorum(entries.length);
        const expected = [...counts].filter(([, count]) => count >= quorum).map(([key]) => key);
        const found = quorumOf(set, quorum, votes);
        expect(found === null ? [] : [`${found.view} ${found.block}`]).toEqual(expected);
        if (found === null) return;
        const signers = found.signers.map(each => each.signer);
        expect(signers).toEqual([...signers].sort(compareText));
      }),
    );
  });
});

describe('evidence', () => {
  const message = (type: 'proposal' | 'prepare' | 'commit', block: number, view = 2, height = 5): Message =>
    type === 'proposal'
      ? { type, height, view, block: idOf(block), justification: null }
      : { type, height, view, block: idOf(block) };
  const change = (prepared: Prepared | null): Message => ({
    type: 'round-change',
    height: 5,
    view: 2,
    prepared: prepared && { ...prepared, signatures: [] },
  });
  const statement = (each: Message) => ({ view: 2, signed: signed(CHAIN_ID, each), signature });
  const evidence = (phase: Phase, first: Message, second: Message) =>
    evidenceOf(keyOf(1), 5, phase, statement(first), statement(second));

  it.each(['proposal', 'prepare', 'commit'] as const)('two %ss for one view convict', phase => {
    expect(verifyEvidence(TAGS, CHAIN_ID, evidence(phase, message(phase, 1), message(phase, 2)))).toBe(true);
  });

  it('two round changes to one view that name different things convict', () => {
    const named = { view: 1, block: idOf(1) };
    expect(verifyEvidence(TAGS, CHAIN_ID, evidence('round-change', change(null), change(named)))).toBe(true);
  });

  it.each([
    ['the same statement twice', 'prepare', message('prepare', 1), message('prepare', 1)],
    ['statements of two views', 'prepare', message('prepare', 1), message('prepare', 2, 3)],
    ['statements about two heights', 'prepare', message('prepare', 1), message('prepare', 2, 2, 6)],
    ['statements of two phases', 'prepare', message('prepare', 1), message('commit', 2)],
    ['statements of another phase than is named', 'commit', message('prepare', 1), message('prepare', 2)],
  ] as const)('%s convict nobody', (_, phase, first, second) => {
    expect(verifyEvidence(TAGS, CHAIN_ID, evidence(phase, first, second))).toBe(false);
  });

  it('neither do statements for another chain, garbage, or a phase that there is not', () => {
    const found = evidence('prepare', message('prepare', 1), message('prepare', 2));
    expect(verifyEvidence(TAGS, 'other' as ChainId, found)).toBe(false);
    const garbage = { ...found, first: { signed: Uint8Array.of(1, 2, 3), signature } };
    expect(verifyEvidence(TAGS, CHAIN_ID, garbage)).toBe(false);
    expect(verifyEvidence(TAGS, CHAIN_ID, { ...found, phase: 'toString' })).toBe(false);
    expect(verifyEvidence(TAGS, CHAIN_ID, { ...found, view: 3 })).toBe(false);
  });
});

describe('the first vote after lost records', () => {
  const set = equals(4);
  const self = keyOf(1);
  const reports = (...each: (readonly [number, number, boolean?])[]): ReadonlyMap<NodeId, Report> =>
    new Map(each.map(([i, height, recorded = true]) => [keyOf(i), { height, recorded }]));

  it.each([
    ['a quorum without itself reports 7, 8, 9', 0, reports([2, 7], [3, 8], [4, 9]), false, 12],
    ['its own ledger is further than all', 20, reports([2, 7], [3, 8], [4, 9]), false, 23],
    ['two of three answered', 0, reports([2, 7], [3, 8]), true, null],
    ['one of three forgot too', 0, reports([2, 7], [3, 8], [4, 9, false]), true, null],
    ['genesis, all answered', 0, reports([2, 0, false], [3, 0, false], [4, 0, false]), false, 1],
    ['genesis, one absent, no patience yet', 0, reports([2, 0, false], [3, 0, false]), false, null],
    ['genesis, one absent', 0, reports([2, 0, false], [3, 0, false]), true, 1],
    ['genesis, two absent', 0, reports([2, 0, false]), true, null],
    ['genesis, one knows better', 0, reports([2, 0, false], [3, 0, false], [4, 3, false]), true, null],
    ['alone past genesis', 5, reports(), true, null],
  ] as const)('%s', (_, final, each, patient, expected) => {
    expect(firstVote(set, 3, self, final, each, patient)).toBe(expected);
  });

  it('a single validator starts at genesis, and past it only with consent', () => {
    const alone = equals(1);
    expect(firstVote(alone, 1, self, 0, new Map(), false)).toBe(1);
    expect(firstVote(alone, 1, self, 4, new Map(), true)).toBeNull();
  });

  it('of seven, one liar can neither keep a validator silent for ever nor make it vote early', () => {
    const honest = [2, 3, 4, 5, 6].map(i => [i, 100 + i] as const);
    expect(firstVote(equals(7), 5, self, 0, reports(...honest, [7, 1e12]), true)).toBe(106 + 3);
    expect(firstVote(equals(7), 5, self, 0, reports(...honest, [7, 0]), true)).toBe(105 + 3);
  });
});

describe('the vote record', () => {
  it('is what was written', () => {
    const certificate = { view: 4, block: idOf(9), signatures: [{ signer: keyOf(1), signature }] };
    const full = {
      ...emptyRecord(3, 8, certificate),
      view: 7,
      changed: true,
      prepare: idOf(1),
      prepared: certificate,
      proposal: { block: idOf(1), justification: { roundChanges: [], prepares: [] } },
    };
    for (const record of [full, emptyRecord(1, 1, null)]) {
      const { key, value } = writeOf(record);
      expect(recordIn(new Map([[key, value!]]))).toEqual(record);
    }
    expect(recordIn(new Map())).toBeNull();
  });

  it('that is damaged stops the start: a node without its promises must not vote', () => {
    const { key, value } = writeOf(emptyRecord(1, 1, null));
    expect(() => recordIn(new Map([[key, value!.slice(0, -1)]]))).toThrow('own bytes');
  });
});

describe('messages', () => {
  const signers = fc
    .uniqueArray(fc.nat(140), { maxLength: 8 })
    .map(each =>
      each.sort((a, b) => a - b).map(i => ({ signer: keyOf(i + 1), signature: stubSign(keyOf(i), signature) })),
    );
  const height = fc.nat();
  const view = fc.nat(2 ** 32 - 1);
  const block = fc.nat(255).map(idOf);
  const certificate = fc.record({ view, block, signatures: signers });
  const prepared = fc.option(fc.record({ view, block }));
  const changes = fc.tuple(signers, prepared).map(([each, named]) => each.map(one => ({ ...one, prepared: named })));
  const justification = fc.option(fc.record({ roundChanges: changes, prepares: signers }));
  const messages: fc.Arbitrary<Message> = fc.oneof(
    fc.record({ type: fc.constant('proposal' as const), height, view, block, justification }),
    fc.record({ type: fc.constantFrom('prepare' as const, 'commit' as const), height, view, block }),
    fc.record({ type: fc.constant('round-change' as const), height, view, prepared: fc.option(certificate) }),
    fc.record({ type: fc.constant('decision' as const), height, view, block, signatures: signers }),
    fc.record({ type: fc.constant('status-request' as const), height, nonce: view }),
    fc.record({ type: fc.constant('status' as const), height, nonce: view, recorded: fc.boolean() }),
  );

  it('decode to what was encoded, and no other bytes decode to the same', () => {
    fc.assert(
      fc.property(messages, fc.nat(), fc.integer({ min: 1, max: 255 }), (each, at, flip) => {
        const bytes = encode(codec, each);
        expect(decode(codec, bytes)).toEqual({ ok: true, value: each });
        const damaged = bytes.slice();
        damaged[at % bytes.length]! ^= flip;
        const result = decode(codec, damaged);
        if (result.ok) expect(toHex(encode(codec, result.value))).toBe(toHex(damaged));
      }),
    );
  });

  it('sign different bytes wherever anything that is signed differs', () => {
    fc.assert(
      fc.property(messages, messages, (a, b) => {
        const strip = (each: Message) => {
          if (each.type === 'proposal') return { ...each, justification: null };
          if (each.type === 'round-change')
            return { ...each, prepared: each.prepared && { ...each.prepared, signatures: [] } };
          return each.type === 'decision' ? { ...each, signatures: [] } : each;
        };
        const same = toHex(encode(codec, strip(a))) === toHex(encode(codec, strip(b)));
        expect(toHex(signed(CHAIN_ID, a)) === toHex(signed(CHAIN_ID, b))).toBe(same);
        expect(toHex(signed('other' as ChainId, a))).not.toBe(toHex(signed(CHAIN_ID, a)));
      }),
    );
  });

  it('fit the bound at 128 validators, and claim each attached signature', () => {
    const all = Array.from({ length: 128 }, (_, i) => ({ signer: keyOf(i + 1), signature }));
    const named = { view: 2 ** 32 - 2, block: idOf(1) };
    const largest: Message = {
      type: 'proposal',
      height: Number.MAX_SAFE_INTEGER,
      view: 2 ** 32 - 1,
      block: idOf(1),
      justification: { roundChanges: all.map(each => ({ ...each, prepared: named })), prepares: all },
    };
    expect(encode(codec, largest).length).toBeLessThan(MESSAGE_BYTES_MAX);
    const claims = claimsOf(CHAIN_ID, largest);
    expect(claims).toHaveLength(256);
    const prepare = signed(CHAIN_ID, { type: 'prepare', height: largest.height, ...named });
    expect(claims.filter(each => toHex(each.signed) === toHex(prepare))).toHaveLength(128);
  });
});
