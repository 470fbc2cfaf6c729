/** When a snapshot is fetched, and what goes on meanwhile, whatever peers say of their heights. */
import { expect, it } from 'vitest';
import type { Height, PublicKey } from '../../ledger/types/ids.ts';
import { createSnapshotSync } from '../../node/snapshot-sync.ts';

const REPLAYED = 100;
const [liar, near, far, other] = ['liar', 'near', 'far', 'other'] as PublicKey[];

function scene(height: Height, replayed: number | null = REPLAYED) {
  const told: (readonly [what: string, height: Height])[] = [];
  const fetches: {
    readonly peers: () => readonly PublicKey[];
    readonly signal: AbortSignal;
    end(isFetched: boolean): Promise<void>;
  }[] = [];
  let fetched = 0;
  const sync = createSnapshotSync({
    blocks: {
      to: to => told.push(['to', to]),
      claim: (peer, claimed) => told.push([peer, claimed]),
      forget() {},
      fetch: async () => null,
      target: null,
      stop() {},
    },
    replayed,
    height: () => height,
    fetch(_least, peers, signal) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      signal.addEventListener('abort', () => resolve(false));
      const end = async (isFetched: boolean) => {
        resolve(isFetched);
        await promise;
        await new Promise(setImmediate);
      };
      fetches.push({ peers, signal, end });
      return promise;
    },
    fetched: () => void fetched++,
    fatal: error => expect.fail(String(error)),
  });
  return { sync, told, fetches, fetched: () => fetched };
}

it('a peer that lies about its height does not keep a node from following the others', () => {
  const { sync, told, fetches } = scene(50);
  sync.claim(liar!, 1_000_000);
  expect(fetches).toHaveLength(1);
  sync.claim(near!, 53);
  sync.to(54, [near!]);
  sync.to(1_000_000, [liar!]);
  expect(told).toEqual([
    [near, 53],
    ['to', 54],
  ]);
});

it.each(['that is gone', 'that gives nothing'])('a peer %s does not keep others from giving a snapshot', async how => {
  const { sync, told, fetches, fetched } = scene(0);
  sync.claim(liar!, 1_000_000);
  if (how === 'that is gone') sync.forget(liar!);
  await fetches[0]!.end(false);
  sync.claim(far!, 1_000);
  sync.claim(other!, 1_001);
  expect(fetches[1]?.peers()).toEqual([other, far]);
  await fetches[1]!.end(true);
  expect(fetched()).toBe(1);
  expect(told).toEqual(how === 'that is gone' ? [] : [[liar, 1_000_000]]);
});

it('whoever gave nothing is not asked again, and its blocks are replayed', async () => {
  const { sync, told, fetches } = scene(0);
  sync.claim(far!, 1_000);
  await fetches[0]!.end(false);
  sync.claim(far!, 1_001);
  expect(fetches).toHaveLength(1);
  expect(told).toEqual([
    [far, 1_000],
    [far, 1_001],
  ]);
});

it('nothing is fetched where nothing certifies blocks, and what is being fetched ends with the node', async () => {
  const uncertified = scene(0, null);
  uncertified.sync.claim(far!, 1_000_000);
  expect([uncertified.told, uncertified.fetches.length]).toEqual([[[far, 1_000_000]], 0]);
  const { sync, fetches, fetched } = scene(0);
  sync.claim(far!, 1_000);
  await sync.stop();
  expect([fetches[0]!.signal.aborted, fetched()]).toEqual([true, 0]);
});
