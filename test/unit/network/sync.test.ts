/** Block sync as a machine: what it asks for after what, to the millisecond, without network or clock. */
import { describe, expect, it } from 'vitest';
import { blockId } from '../../../ledger/crypto/ids.ts';
import type { Block } from '../../../ledger/types/block.ts';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import { encode } from '../../../ledger/types/codec.ts';
import type { PublicKey } from '../../../ledger/types/ids.ts';
import {
  FETCHES_MAX,
  SYNC_BAN_MS,
  SYNC_FRAME_TIMEOUT_MS,
  SYNC_RANGE_BLOCKS_MAX,
  SYNC_RANGE_TIMEOUT_MS,
  SYNC_RETRY_MS,
  SYNC_STALL_MS,
} from '../../../node/limits.ts';
import { certifiedBlock } from '../../../node/network/certified-block.ts';
import type { RequestFailure } from '../../../node/network/requests.ts';
import { type ApplyVerdict, createSync, type SyncEffect, type SyncEvent } from '../../../node/network/sync.ts';
import { chainOf, identified, ZERO } from './block-chain.ts';
import { keyOf } from './nodes.ts';

const BLOCKS = chainOf(600);
const FORK = chainOf(20, 1);

const frameOf = (each: Block): Bytes => encode(certifiedBlock, { block: each, certificate: null });

/** One machine at height 0 with peers `a`, `b`, …; effects are told in short, with peers by name. */
function script(...names: string[]) {
  const sync = createSync();
  const view = { now: 1_000, height: 0, peers: names.map(keyOf) };
  const nameOf = (key: PublicKey): string => names.find(each => keyOf(each) === key)!;
  let last = 0;

  function told(effect: SyncEffect): string {
    switch (effect.type) {
      case 'ask': {
        last = effect.request;
        const { question } = effect;
        const what = question.type === 'range' ? `${question.from}+${question.count}` : 'block';
        return `ask ${nameOf(effect.peer)} ${what}`;
      }
      case 'next':
        return 'next';
      case 'cancel':
        return 'cancel';
      case 'apply':
        return `apply ${effect.block.block.header.height}`;
      case 'found':
        return effect.block === null ? 'found nothing' : `found ${effect.block.header.height}`;
      case 'progress':
        return `progress ${effect.height}/${effect.target}`;
      case 'caught':
        return `${nameOf(effect.peer)} ${effect.outcome}`;
      case 'wake':
        return effect.after === null ? 'sleep' : `wake ${effect.after}`;
    }
  }

  const step = (event: SyncEvent): string[] => sync.step({ ...view }, event).map(told);
  /** Without the wakes, which have tests of their own. */
  const quietly = (event: SyncEvent): string[] => step(event).filter(each => !/^(wake|sleep)/.test(each));
  const scripted = {
    sync,
    view,
    step,
    /** The number of the request asked last. */
    get last() {
      return last;
    },
    proven: (height: number, ...from: string[]) => quietly({ type: 'proven', height, from: from.map(keyOf) }),
    claimed: (name: string, height: number) => quietly({ type: 'claimed', peer: keyOf(name), height }),
    gone(name: string) {
      view.peers = view.peers.filter(each => each !== keyOf(name));
      return quietly({ type: 'gone', peer: keyOf(name) });
    },
    wanted: (each: Block, ...from: string[]) =>
      quietly({ type: 'wanted', id: blockId(each.header), from: from.map(keyOf) }),
    frame: (bytes: Bytes, request = last) => quietly({ type: 'frame', request, bytes }),
    ended: (failure: RequestFailure | null = null, request = last) => quietly({ type: 'ended', request, failure }),
    judged(verdict: ApplyVerdict) {
      if (verdict === 'ok') view.height += 1;
      return quietly({ type: 'judged', verdict });
    },
    /** So many ms pass, and the timer fires. */
    wait(ms: number) {
      view.now += ms;
      return quietly({ type: 'woken' });
    },
    /** The asked one delivers true blocks up to a height, each within so many ms. */
    deliver(to: number, ms = 0) {
      for (let height = view.height + 1; height <= to; height++) {
        view.now += ms;
        expect(scripted.frame(frameOf(BLOCKS[height]!))).toEqual([`apply ${height}`]);
        expect(scripted.judged('ok')).toEqual([expect.stringMatching(`^progress ${height}/`), 'next']);
      }
    },
  };
  return scripted;
}

describe('who is asked', () => {
  it('holders first: those who should have a proven height, then the others', () => {
    const it = script('a', 'b', 'c');
    expect(it.proven(5, 'c')).toEqual(['ask c 1+5']);
    expect(it.ended()).toEqual(['ask a 1+5']);
    expect(it.ended()).toEqual(['ask b 1+5']);
  });

  it('quickest first, by what a block was waited for; who was never asked goes before', () => {
    const it = script('a', 'b', 'c');
    it.proven(400, 'a', 'b', 'c');
    it.deliver(2, 50);
    expect(it.ended()).toEqual(['ask b 3+398']);
    it.deliver(4, 10);
    expect(it.ended()).toEqual(['ask c 5+396']);
    it.deliver(6, 30);
    expect(it.ended()).toEqual(['ask b 7+394']);
  });

  it('least trouble first, before the quickest', () => {
    const it = script('a', 'b');
    it.proven(400, 'a', 'b');
    it.wait(SYNC_FRAME_TIMEOUT_MS);
    it.deliver(2, 400);
    it.view.now += SYNC_STALL_MS;
    expect(it.ended()).toEqual(['ask b 3+398']);
  });

  it('nobody on the word of another', () => {
    const it = script('a', 'b');
    expect(it.claimed('b', 30)).toEqual(['ask b 1+30']);
    expect(it.ended('REQUEST_REFUSED')).toEqual([]);
    expect(it.sync.target(0)).toBe(30);
    expect(it.wait(SYNC_RETRY_MS)).toEqual(['ask b 1+30']);
  });

  it('one range at a time, of bounded length, up to what is known when it begins', () => {
    const it = script('a', 'b');
    expect(it.proven(550, 'a')).toEqual([`ask a 1+${SYNC_RANGE_BLOCKS_MAX}`]);
    expect([it.proven(560, 'b'), it.claimed('b', 570)]).toEqual([[], []]);
    it.deliver(SYNC_RANGE_BLOCKS_MAX);
    expect(it.ended()).toEqual([`ask b ${SYNC_RANGE_BLOCKS_MAX + 1}+58`]);
  });

  it('again after a while where nobody could help', () => {
    const it = script('a');
    it.proven(3);
    expect(it.step({ type: 'ended', request: it.last, failure: null })).toEqual([`wake ${SYNC_RETRY_MS}`]);
    expect(it.wait(SYNC_RETRY_MS - 1)).toEqual([]);
    expect(it.wait(1)).toEqual(['ask a 1+3']);
  });

  it('a peer that has come meanwhile', () => {
    const it = script();
    expect(it.proven(3)).toEqual([]);
    it.view.peers = [keyOf('late')];
    expect(it.wait(SYNC_RETRY_MS)).toHaveLength(1);
  });

  it('nobody for another range while it is paused, nor is it woken for one', () => {
    const it = script('a');
    it.proven(5, 'a');
    expect(it.step({ type: 'paused' })).toEqual([]);
    it.deliver(2);
    expect(it.step({ type: 'ended', request: it.last, failure: null })).toEqual([]);
    expect(it.wanted(BLOCKS[9]!)).toEqual(['ask a block']);
    expect(it.step({ type: 'resumed' })).toEqual(['ask a 3+3']);
  });
});

describe('blocks', () => {
  it('are judged before the next is taken', () => {
    const it = script('a');
    it.proven(2);
    expect(it.frame(frameOf(BLOCKS[1]!))).toEqual(['apply 1']);
    expect(it.judged('ok')).toEqual(['progress 1/2', 'next']);
    expect(it.frame(frameOf(BLOCKS[2]!))).toEqual(['apply 2']);
    expect(it.judged('ok')).toEqual(['progress 2/2', 'next']);
    expect(it.ended()).toEqual([]);
    expect(it.sync.target(it.view.height)).toBeNull();
  });

  it('that consensus has brought meanwhile are passed over, also while one is judged', () => {
    const it = script('a');
    it.proven(9);
    it.view.height = 2;
    expect(it.frame(frameOf(BLOCKS[1]!))).toEqual(['next']);
    expect(it.frame(frameOf(BLOCKS[2]!))).toEqual(['next']);
    expect(it.frame(frameOf(BLOCKS[3]!))).toEqual(['apply 3']);
    it.view.height = 3;
    expect(it.judged('behind')).toEqual(['next']);
    it.deliver(5);
    expect(it.ended()).toEqual(['ask a 6+4']);
  });
});

describe('a liar is banned', () => {
  const truncated = frameOf(BLOCKS[1]!).slice(0, -1);
  const other = frameOf(BLOCKS[2]!);
  it.each<[string, Bytes]>([
    ['noise', new Uint8Array(100).fill(7)],
    ['a truncated frame', truncated],
    ['a block of another height', other],
  ])('for %s', (_, bytes) => {
    const it = script('liar', 'b');
    it.proven(5, 'liar');
    expect(it.frame(bytes)).toEqual(['cancel', 'liar lied', 'ask b 1+5']);
  });

  it('for a block that is found false', () => {
    const it = script('liar', 'b');
    it.proven(5, 'liar');
    it.frame(frameOf(FORK[1]!));
    expect(it.judged('bad')).toEqual(['cancel', 'liar lied', 'ask b 1+5']);
  });

  it('for an over-long answer, in blocks', () => {
    const it = script('liar', 'b');
    it.proven(3, 'liar');
    it.proven(5, 'b');
    it.deliver(3);
    expect(it.frame(frameOf(BLOCKS[4]!))).toEqual(['cancel', 'liar lied', 'ask b 4+2']);
  });

  it('for an over-long answer, in bytes', () => {
    const it = script('liar', 'b');
    it.proven(3, 'liar');
    it.deliver(2);
    expect(it.ended('RESPONSE_TOO_LARGE')).toEqual(['liar lied', 'ask b 3+1']);
  });

  it('for as long as is written, then for twice as long, and is forgiven when it delivers', () => {
    const it = script('liar');
    it.proven(5);
    it.frame(other);
    expect(it.wait(SYNC_BAN_MS - 1)).toEqual([]);
    it.wait(SYNC_RETRY_MS);
    expect(it.frame(other)).toEqual(['cancel', 'liar lied']);
    expect(it.wait(2 * SYNC_BAN_MS - 1)).toEqual([]);
    expect(it.wait(SYNC_RETRY_MS)).toEqual(['ask liar 1+5']);
    it.deliver(1);
    it.ended();
    expect(it.frame(truncated)).toEqual(['cancel', 'liar lied']);
    expect(it.wait(SYNC_BAN_MS)).toEqual(['ask liar 2+4']);
  });

  it('once for all that ends with one lost connection', () => {
    const it = script('a', 'b');
    const requests = BLOCKS.slice(1, 5).map(each => {
      it.wanted(each, 'a');
      return it.last;
    });
    for (const request of requests) it.ended('REQUEST_CUT', request);
    it.gone('b');
    it.proven(5, 'a');
    expect(it.wait(SYNC_STALL_MS + SYNC_RETRY_MS)).toContain('ask a 1+5');
  });

  it('from claiming anything, too', () => {
    const it = script('liar', 'b');
    it.proven(5, 'liar');
    it.frame(other);
    it.claimed('liar', 2 ** 50);
    expect(it.sync.target(0)).toBe(5);
  });

  it('from being asked for single blocks, too', () => {
    const it = script('liar', 'b');
    it.proven(5, 'liar');
    it.frame(other);
    expect(it.wanted(BLOCKS[9]!, 'liar')).toEqual(['ask b block']);
  });
});

describe('time', () => {
  it('a staller has a frame’s time, and is tried later', () => {
    const it = script('a', 'b');
    expect(it.step({ type: 'proven', height: 5, from: [keyOf('a')] })).toEqual([
      'ask a 1+5',
      `wake ${SYNC_FRAME_TIMEOUT_MS}`,
    ]);
    expect(it.wait(SYNC_FRAME_TIMEOUT_MS - 1)).toEqual([]);
    expect(it.wait(1)).toEqual(['cancel', 'a stalled', 'ask b 1+5']);
    // It is the holder, and still has to wait.
    expect(it.ended()).toEqual([]);
    expect(it.wait(SYNC_STALL_MS)).toEqual(['ask a 1+5']);
  });

  it('a trickle is a stall: waiting adds up over all frames of an answer', () => {
    const it = script('a', 'b');
    it.proven(100, 'a');
    const slowly = SYNC_FRAME_TIMEOUT_MS - 1000;
    it.deliver(SYNC_RANGE_TIMEOUT_MS / slowly - 1, slowly);
    expect(it.wait(slowly - 1)).toEqual([]);
    expect(it.wait(1)).toEqual(['cancel', 'a stalled', 'ask b 5+96']);
  });

  it('spent on judging is nobody’s fault', () => {
    const it = script('a');
    it.proven(2);
    it.frame(frameOf(BLOCKS[1]!));
    expect(it.wait(10 * SYNC_RANGE_TIMEOUT_MS)).toEqual([]);
    expect(it.judged('ok')).toEqual(['progress 1/2', 'next']);
    expect(it.wait(SYNC_FRAME_TIMEOUT_MS - 1)).toEqual([]);
  });

  it('to be woken too early changes nothing but when it is woken next', () => {
    const it = script('a');
    it.proven(2);
    it.view.now += SYNC_FRAME_TIMEOUT_MS - 3;
    expect(it.step({ type: 'woken' })).toEqual(['wake 3']);
  });

  it('one timer is enough for all that is waited for', () => {
    const it = script('a', 'b');
    it.step({ type: 'wanted', id: blockId(BLOCKS[9]!.header), from: [] });
    it.view.now += 2_000;
    expect(it.step({ type: 'proven', height: 5, from: [] })).toEqual(['ask a 1+5']);
    it.view.now += 3_000;
    expect(it.step({ type: 'woken' })).toEqual(['cancel', 'a stalled', 'ask b block', 'wake 2000']);
  });
});

describe('how an answer ends', () => {
  it.each<[RequestFailure, number, string[]]>([
    ['REQUEST_CUT', 0, ['a stalled', 'ask b 1+9']],
    ['REQUEST_TIMEOUT', 0, ['a stalled', 'ask b 1+9']],
    ['REQUEST_TIMEOUT', 2, ['a stalled', 'ask b 3+7']],
    ['REQUEST_REFUSED', 0, ['ask b 1+9']],
    ['REQUEST_BUSY', 0, ['ask b 1+9']],
  ])('%s after %i blocks', (failure, delivered, effects) => {
    const it = script('a', 'b');
    it.proven(9, 'a');
    it.deliver(delivered);
    expect(it.ended(failure)).toEqual(effects);
  });

  it('cut after use is no offence', () => {
    const it = script('a');
    it.proven(9, 'a');
    it.deliver(2);
    expect(it.ended('REQUEST_CUT')).toEqual(['ask a 3+7']);
  });

  it('what comes of a request that is over is ignored', () => {
    const it = script('a', 'b');
    it.proven(9, 'a');
    const over = it.last;
    it.wait(SYNC_FRAME_TIMEOUT_MS);
    expect(it.frame(frameOf(BLOCKS[1]!), over)).toEqual([]);
    expect(it.ended(null, over)).toEqual([]);
    expect(it.frame(frameOf(BLOCKS[1]!))).toEqual(['apply 1']);
  });
});

describe('a claim', () => {
  it('is forgotten when the answer is empty', () => {
    const it = script('a');
    expect(it.claimed('a', 2 ** 50)).toEqual([`ask a 1+${SYNC_RANGE_BLOCKS_MAX}`]);
    it.deliver(3);
    expect(it.ended()).toEqual(['ask a 4+512']);
    expect(it.ended()).toEqual([]);
    expect(it.sync.target(3)).toBeNull();
  });

  it('is forgotten with a lie', () => {
    const it = script('a');
    it.claimed('a', 40);
    it.frame(frameOf(BLOCKS[7]!));
    expect(it.sync.target(0)).toBeNull();
  });

  it('survives two stalls, and no third', () => {
    const it = script('a');
    it.claimed('a', 40);
    for (const stalls of [1, 2, 3]) {
      expect(it.wait(SYNC_FRAME_TIMEOUT_MS)).toEqual(['cancel', 'a stalled']);
      expect(it.sync.target(0), `after ${stalls}`).toBe(stalls < 3 ? 40 : null);
      it.wait(2 ** stalls * SYNC_STALL_MS);
    }
  });

  it('goes with the peer, and that of who is gone is none', () => {
    const it = script('a', 'b');
    it.claimed('a', 40);
    expect(it.gone('a')).toEqual([]);
    expect(it.sync.target(0)).toBeNull();
    it.claimed('a', 41);
    expect(it.sync.target(0)).toBeNull();
  });

  it('proves nothing, and a proof outlives every claim', () => {
    const it = script('a', 'b');
    it.proven(5, 'a');
    it.claimed('b', 3);
    expect(it.ended()).toEqual(['ask b 1+5']);
    it.ended();
    expect(it.sync.target(0)).toBe(5);
  });
});

describe('a block by its id', () => {
  const wanted = BLOCKS[9]!;

  it('is asked of holders first, then of anyone, and given up after all', () => {
    const it = script('a', 'b', 'c');
    expect(it.wanted(wanted, 'b')).toEqual(['ask b block']);
    expect(it.ended()).toEqual(['ask a block']);
    expect(it.ended('REQUEST_CUT')).toEqual(['a stalled', 'ask c block']);
    expect(it.ended()).toEqual(['found nothing']);
  });

  it('is looked for once at a time, beside a range', () => {
    const it = script('a');
    it.proven(5);
    expect(it.wanted(wanted)).toEqual(['ask a block']);
    expect(it.wanted(wanted)).toEqual([]);
    expect(it.frame(frameOf(wanted))).toEqual(['cancel', 'found 9']);
    expect(it.wanted(wanted)).toEqual(['ask a block']);
  });

  const { header } = BLOCKS[9]!;
  const bodiless: Block = { header: { ...header, transactionsRoot: ZERO }, transactions: [] };
  it.each<[string, Block, Bytes]>([
    ['another block', wanted, frameOf(FORK[9]!)],
    ['another body than its header commits to', bodiless, frameOf(bodiless)],
    ['noise', wanted, Uint8Array.of(1, 2, 3)],
  ])('is not %s: that is a lie', (_, asked, bytes) => {
    const it = script('liar', 'b');
    it.wanted(asked);
    expect(it.frame(bytes)).toEqual(['cancel', 'liar lied', 'ask b block']);
  });

  it('stalls like a range', () => {
    const it = script('a', 'b');
    it.wanted(wanted);
    expect(it.wait(SYNC_FRAME_TIMEOUT_MS)).toEqual(['cancel', 'a stalled', 'ask b block']);
  });

  it('is identified', () => {
    const it = script('a');
    it.wanted(wanted);
    const effects = it.sync.step({ ...it.view }, { type: 'frame', request: it.last, bytes: frameOf(wanted) });
    expect(effects).toContainEqual({ type: 'found', id: blockId(wanted.header), block: identified(wanted) });
  });

  it('is one of a bounded number', () => {
    const it = script('a');
    for (let i = 0; i < FETCHES_MAX; i++) expect(it.wanted(BLOCKS[i]!)).toEqual(['ask a block']);
    expect(it.wanted(BLOCKS[FETCHES_MAX]!)).toEqual(['found nothing']);
    it.frame(frameOf(BLOCKS[FETCHES_MAX - 1]!));
    expect(it.wanted(BLOCKS[FETCHES_MAX]!)).toEqual(['ask a block']);
  });
});

describe('stop silences', () => {
  it('ends all that is under way, and nothing begins any more', () => {
    const it = script('a', 'b');
    it.proven(5);
    it.frame(frameOf(BLOCKS[1]!));
    it.wanted(BLOCKS[9]!);
    expect(it.step({ type: 'stopped' })).toEqual(['cancel', 'cancel', 'found nothing', 'sleep']);
    expect(it.judged('ok')).toEqual([]);
    expect(it.proven(9, 'b')).toEqual([]);
    expect(it.claimed('b', 9)).toEqual([]);
    expect(it.step({ type: 'woken' })).toEqual([]);
    expect(it.wanted(BLOCKS[8]!)).toEqual(['found nothing']);
  });
});

describe('a host that breaks its word', () => {
  it('is stopped for a verdict on nothing', () => {
    expect(() => script('a').judged('ok')).toThrow('a verdict on a block of no range');
  });

  it('is stopped for a frame while one is judged', () => {
    const it = script('a');
    it.proven(5);
    it.frame(frameOf(BLOCKS[1]!));
    expect(() => it.frame(frameOf(BLOCKS[2]!))).toThrow('unasked');
  });
});
