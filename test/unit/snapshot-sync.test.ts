/** When a snapshot is looked for, and what goes on meanwhile, whatever peers say of their heights. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Height, PublicKey } from '../../ledger/types/ids.ts';
import { createSnapshotSync, type SnapshotSearch } from '../../node/snapshot-sync.ts';

const REPLAYED = 100;
const HEAD_START_MS = 2_000;
const FETCH_MS = 600_000;
const [liar, near, far, other] = ['liar', 'near', 'far', 'other'] as PublicKey[];

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

function scene(at: Height, replayed: number | null = REPLAYED) {
  const told: (readonly [what: string, height?: Height])[] = [];
  const searches: (SnapshotSearch & { end(isFetched: boolean): Promise<void> })[] = [];
  const ledger = { height: at };
  let fetched = 0;
  const sync = createSnapshotSync({
    blocks: {
      to: to => told.push(['to', to]),
      claim: (peer, claimed) => told.push([peer, claimed]),
      forget() {},
      fetch: async () => null,
      target: null,
      pause: () => told.push(['pause']),
      resume: () => told.push(['resume']),
      stop() {},
    },
    replayed,
    headStartMs: HEAD_START_MS,
    fetchMs: FETCH_MS,
    height: () => ledger.height,
    fetch(search) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      search.signal.addEventListener('abort', () => resolve(false));
      const end = async (isFetched: boolean) => {
        resolve(isFetched);
        await promise;
        await new Promise(setImmediate);
      };
      searches.push({ ...search, end });
      return promise;
    },
    fetched: () => void fetched++,
    fatal: error => expect.fail(String(error)),
  });
  return { sync, told, searches, ledger, fetched: () => fetched };
}

it('a peer that lies about its height does not keep a node from following the others', () => {
  const { sync, told, searches } = scene(50);
  sync.claim(liar!, 1_000_000);
  expect(searches).toHaveLength(1);
  sync.claim(near!, 53);
  sync.to(54, [near!]);
  sync.to(1_000_000, [liar!]);
  expect(told).toEqual([
    [near, 53],
    ['to', 54],
  ]);
});

it('a snapshot that is only promised is waited for a moment, and one that is being fetched for longer', () => {
  const { sync, told, searches } = scene(0);
  sync.claim(liar!, 1_000_000);
  sync.claim(far!, 1_000);
  vi.advanceTimersByTime(HEAD_START_MS - 1);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  sync.to(1_001, [far!]);
  expect(told.splice(0)).toEqual([['resume'], [liar, 1_000_000], [far, 1_000], ['to', 1_001]]);
  const [search] = searches;
  search!.begun();
  sync.claim(other!, 1_002);
  sync.to(1_002, [other!]);
  expect(told.splice(0)).toEqual([['pause']]);
  search!.failed();
  expect(told.splice(0)).toEqual([['resume'], [liar, 1_000_000], [far, 1_000], [other, 1_002]]);
  expect([search!.peers(), searches.length]).toEqual([[liar, other, far], 1]);
});

it('one that is fetched at once is not waited past', async () => {
  const { sync, told, searches, fetched } = scene(0);
  sync.claim(far!, 1_000);
  searches[0]!.begun();
  vi.advanceTimersByTime(10 * HEAD_START_MS);
  expect(told).toEqual([['pause']]);
  await searches[0]!.end(true);
  expect([fetched(), told.length]).toEqual([1, 1]);
});

it('a peer that gives a snapshot piece by piece for ever does not keep a node from following', () => {
  const { sync, told, searches } = scene(0);
  sync.claim(far!, 1_000);
  searches[0]!.begun();
  vi.advanceTimersByTime(FETCH_MS - 1);
  expect(told.splice(0)).toEqual([['pause']]);
  vi.advanceTimersByTime(1);
  sync.claim(other!, 1_002);
  searches[0]!.begun();
  expect(told).toEqual([['resume'], [far, 1_000], [other, 1_002]]);
});

it('what is worth it moves with the ledger', () => {
  const { sync, searches, ledger } = scene(0);
  sync.claim(far!, 1_000);
  expect(searches[0]!.least()).toBe(REPLAYED + 1);
  ledger.height = 950;
  expect([searches[0]!.least(), searches[0]!.peers()]).toEqual([950 + REPLAYED + 1, []]);
});

it.each(['that is gone', 'that gives nothing'])('a peer %s does not keep others from giving a snapshot', async how => {
  const { sync, told, searches, fetched } = scene(0);
  sync.claim(liar!, 1_000_000);
  if (how === 'that is gone') sync.forget(liar!);
  await searches[0]!.end(false);
  sync.claim(far!, 1_000);
  sync.claim(other!, 1_001);
  expect(searches[1]?.peers()).toEqual([other, far]);
  await searches[1]!.end(true);
  expect(fetched()).toBe(1);
  expect(told).toEqual([['resume'], ...(how === 'that is gone' ? [] : [[liar, 1_000_000]])]);
});

it('whoever gave nothing is not asked again, and its blocks are replayed', async () => {
  const { sync, told, searches } = scene(0);
  sync.claim(far!, 1_000);
  await searches[0]!.end(false);
  sync.claim(far!, 1_001);
  expect(searches).toHaveLength(1);
  expect(told).toEqual([['resume'], [far, 1_000], [far, 1_001]]);
});

it('nothing is fetched where nothing certifies blocks, and what is being fetched ends with the node', async () => {
  const uncertified = scene(0, null);
  uncertified.sync.claim(far!, 1_000_000);
  expect([uncertified.told, uncertified.searches.length]).toEqual([[[far, 1_000_000]], 0]);
  const { sync, searches, fetched } = scene(0);
  sync.claim(far!, 1_000);
  await sync.stop();
  expect([searches[0]!.signal.aborted, fetched()]).toEqual([true, 0]);
});
