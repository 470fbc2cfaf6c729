import { describe, expect, it } from 'vitest';
import type { Effect, Event, Params, Resume } from '../../../consensus/core.ts';
import { type Ack, solo } from '../../../consensus/solo/core.ts';
import { verifyCertificate } from '../../../ledger/certificate.ts';
import { publicKeyOf, sign } from '../../../ledger/crypto/native.ts';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import { CRASH_ACK } from '../../../ledger/types/certificate.ts';
import { decodeOwn, encode } from '../../../ledger/types/codec.ts';
import type { BlockId, NodeId } from '../../../ledger/types/ids.ts';
import { CHAIN_ID, makeBlock, type SimulatedBlock } from '../../simulation/chain.ts';

const PARAMS: Params = {
  ...{ viewTimeoutMs: 1000, viewTimeoutMsMax: 8000, blockIntervalMinMs: 20, heartbeatMs: 10_000, driftMs: 500 },
};
const secret = { type: 'ed25519', secret: new Uint8Array(32).fill(7) } as const;
const self = publicKeyOf(secret) as NodeId;
const other = publicKeyOf({ type: 'ed25519', secret: new Uint8Array(32).fill(8) }) as NodeId;
const T0 = 1_000_000;
const genesis = makeBlock(null, T0 - 1000, other, []);
const first = makeBlock(genesis, T0, self, [1]);
const second = makeBlock(first, T0 + 50, self, [2]);

function scene(
  over: Partial<Resume> & { readonly self?: NodeId | null; readonly validators?: readonly NodeId[] } = {},
) {
  const { self: own = self, validators = [self], ...rest } = over;
  const core = solo.create({ self: own, chainId: CHAIN_ID, params: PARAMS, seed: 1n });
  const config = { validators: validators.map(key => ({ key, power: 1 })) };
  const { id: head, header } = genesis;
  const resume: Resume = { records: new Map(), blocks: [], head, header, final: 0, config, votesLost: false, ...rest };
  let now = T0;
  const started = core.start(now, resume);
  return {
    core,
    started,
    feed(event: Event<Ack>, afterMs = 0): Effect<Ack>[] {
      now += afterMs;
      return core.step(now, event);
    },
  };
}

const kinds = (effects: readonly Effect<Ack>[]): string[] => effects.map(each => each.type);
const built = ({ id, header }: SimulatedBlock): Event<Ack> => ({ type: 'built', job: '1', block: { id, header } });
const ackOf = ({ id, header }: SimulatedBlock): Ack => ({ height: header.height, block: id });
const said = (block: SimulatedBlock): Event<Ack> => {
  const message = ackOf(block);
  return { type: 'message', from: self, message, signature: sign(secret, solo.signed(CHAIN_ID, message)) };
};
const applied = ({ id, header }: SimulatedBlock): Event<Ack> => ({
  ...{ type: 'applied', head: id, header, config: { validators: [{ key: self, power: 1 }] } },
});
const NULL_RECORD: ReadonlyMap<string, Bytes> = new Map([['ack', encode(solo.codec, ackOf(first))]]);

describe('the only validator', () => {
  it('builds when work waits, persists before it speaks, and adopts with its own signature', () => {
    const it = scene();
    const building = it.feed({ type: 'work', since: T0 }, 20);
    expect(building).toMatchObject([{ type: 'build', parent: genesis.id }]);
    const effects = it.feed(built(first));
    expect(kinds(effects)).toEqual(['persist', 'publish', 'send']);
    expect(effects[0]).toMatchObject({ blocks: [first.id], writes: [{ key: 'ack' }] });
    const [adopt] = it.feed(said(first));
    expect(adopt).toMatchObject({ type: 'adopt', head: first.id, final: 1 });
    const certificate = adopt?.type === 'adopt' ? adopt.certificate : null;
    const set = [{ key: self, power: 1 }];
    expect(verifyCertificate(first.header, first.id, certificate!, set, CRASH_ACK)).toEqual({
      ...{ ok: true, value: undefined },
    });
  });

  it('waits for the block interval, and for the heartbeat where no work waits', () => {
    expect(scene().started).toEqual([{ type: 'timer', timer: 'build', after: PARAMS.heartbeatMs }]);
    expect(scene().feed({ type: 'work', since: T0 })).toEqual([{ type: 'timer', timer: 'build', after: 20 }]);
    expect(kinds(scene().feed({ type: 'timeout', timer: 'build' }, PARAMS.heartbeatMs))).toEqual(['build']);
  });

  it('builds nothing else at a height while it has said one block, across a restart too', () => {
    const blocks = [{ id: first.id, header: first.header }];
    const it = scene({ records: NULL_RECORD, blocks });
    expect(kinds(it.started)).toEqual(['validate', 'publish', 'send']);
    expect(it.started[2]).toMatchObject({ message: ackOf(first) });
    expect(kinds(it.feed({ type: 'work', since: T0 }, 60_000))).toEqual([]);
    expect(kinds(it.feed(said(first))), 'it has to be executed again').toEqual([]);
    const next = { validators: [{ key: self, power: 1 }] };
    expect(kinds(it.feed({ type: 'validated', block: first.id, next }))).toEqual(['adopt']);
    expect(kinds(it.feed(applied(first)))).toEqual(['timer']);
    expect(kinds(it.feed({ type: 'timeout', timer: 'build' }, 20))).toEqual(['build']);
  });

  it('takes an answer to a question of the past for none, and asks again where nothing could be built', () => {
    const it = scene();
    it.feed({ type: 'work', since: T0 }, 20);
    expect(kinds(it.feed({ type: 'built', job: '7', block: first }))).toEqual([]);
    expect(kinds(it.feed({ type: 'built', job: '1', block: null }))).toEqual(['timer']);
    expect(kinds(it.feed({ type: 'timeout', timer: 'build' }, 20))).toEqual(['build']);
  });

  it('stops when somebody else speaks in its name', () => {
    const it = scene();
    expect(() => it.feed(said(first))).toThrow('in the name of this one');
  });

  it('does not start on a record without its block', () => {
    expect(() => scene({ records: NULL_RECORD })).toThrow('not on disk');
  });
});

describe('an observer', () => {
  const observer = () => scene({ self: null });

  it('fetches, executes and adopts what the validator says', () => {
    const it = observer();
    expect(it.feed(said(first))).toEqual([{ type: 'fetch', block: first.id, from: [self] }]);
    expect(kinds(it.feed({ type: 'block', id: first.id, header: first.header }))).toEqual(['validate']);
    const next = { validators: [{ key: self, power: 1 }] };
    expect(kinds(it.feed({ type: 'validated', block: first.id, next }))).toEqual(['adopt']);
    expect(kinds(it.feed(applied(first)))).toEqual([]);
    expect(kinds(it.feed({ type: 'block', id: second.id, header: second.header }))).toEqual([]);
    expect(kinds(it.feed(said(second)))).toEqual(['validate']);
  });

  it('asks for certified blocks up to what was acknowledged when it is behind, and stops when its own execution differs', () => {
    const it = observer();
    expect(it.feed(said(second))).toEqual([{ type: 'sync', height: 2, from: [self] }]);
    it.feed(said(first));
    it.feed({ type: 'block', id: first.id, header: first.header });
    expect(() => it.feed({ type: 'validated', block: first.id, next: null })).toThrow('invalid here');
  });

  it('listens to the validator alone', () => {
    const it = observer();
    const message = ackOf(first);
    const from = other;
    expect(it.feed({ type: 'message', from, message, signature: new Uint8Array(64) })).toEqual([]);
  });
});

it('decides nothing where there is more than one validator', () => {
  const it = scene({ validators: [self, other].sort() });
  expect(it.core.status()).toMatchObject({ voting: false, leader: null, phase: expect.stringContaining('stalled') });
  expect(kinds(it.feed({ type: 'work', since: T0 }, 60_000))).toEqual([]);
});

it('encodes what it says, and its state, in one way', () => {
  const bytes = encode(solo.codec, ackOf(first));
  expect(decodeOwn(solo.codec, bytes)).toEqual(ackOf(first));
  expect(bytes.length).toBeLessThanOrEqual(solo.spec.messageBytesMax);
  const [one, two] = [scene(), scene()];
  expect(one.core.digest()).toEqual(two.core.digest());
  one.feed({ type: 'work', since: T0 }, 20);
  expect(one.core.digest()).not.toEqual(two.core.digest());
  expect(first.id as BlockId).not.toBe(second.id);
});
