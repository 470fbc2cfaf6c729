/** What is on a miner's disk: what a node proves of it, and what `node verify` finds in it. */
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createNetwork } from '../../cli/network/create.ts';
import { pow } from '../../consensus/pow/core.ts';
import type { Chain } from '../../ledger/chain.ts';
import { blockId } from '../../ledger/crypto/ids.ts';
import { type Genesis, genesisId } from '../../ledger/genesis.ts';
import { ROLES } from '../../ledger/modules/operation.ts';
import { register } from '../../ledger/modules/validators/register.ts';
import { WORK_HEADERS_MAX } from '../../ledger/proof/bundle.ts';
import { trustedGenesis } from '../../ledger/proof/trusted-genesis.ts';
import { verifyProof } from '../../ledger/proof.ts';
import { EMPTY } from '../../ledger/types/bytes.ts';
import type { Header } from '../../ledger/types/header.ts';
import { meets } from '../../ledger/types/work/hardness.ts';
import { encodeSeal, sealAbove } from '../../ledger/types/work/seal.ts';
import { prover } from '../../node/prover.ts';
import { resumeChain } from '../../node/resume.ts';
import { openStateCache } from '../../node/state-cache.ts';
import { stateVersions } from '../../node/state-versions.ts';
import { BUCKET, type Level, openLevel, textKey } from '../../node/storage/level.ts';
import { openStore, type Store } from '../../node/storage/store.ts';
import { verifyStore } from '../../node/verify.ts';
import { key } from './ledger/network.ts';
import { temporaryDirectory } from './storage/fixtures.ts';
import { INTERVAL_MS, mined, OWN } from './work-chain.ts';

const DEPTH = OWN.finalityDepth!;

interface Miner {
  readonly home: string;
  readonly genesis: Genesis;
  readonly store: Store;
  readonly chain: Chain;
  /** Takes in the next block, `change`d after it was found; those deep enough below it become final. */
  mine(depth?: number, change?: (found: Header, hardness: number) => Header): Promise<void>;
  close(): Promise<void>;
}

async function miner(): Promise<Miner> {
  const account = { keys: [key(1)], roles: ROLES };
  const { genesis, nodes } = await createNetwork(
    join(temporaryDirectory(), 'net'),
    {
      ...{ chainId: 'mined', genesisTime: Date.UTC(2026, 0, 1), engine: 'pow', own: OWN, tokens: [] },
      members: [{ id: 'org0', name: 'Organisation 0', roles: ROLES, accounts: [account] }],
    },
    { validators: 1, basePort: 0 },
  );
  const { home } = nodes[0]!;
  const failed = (fault: unknown) => expect.unreachable(String(fault));
  const store = await openStore(join(home, 'data'), { genesisId: genesisId(genesis), failed });
  let closed: Promise<void> | null = null;
  const close = () => (closed ??= store.close());
  onTestFinished(close);
  const cache = await openStateCache(temporaryDirectory(), Number.POSITIVE_INFINITY, failed);
  onTestFinished(() => cache.close());
  const chain = await resumeChain(genesis, store, cache, () => {});
  const { params } = trustedGenesis(genesis).work!;
  return {
    ...{ home, genesis, store, chain, close },
    async mine(depth = DEPTH, change = found => found) {
      const { id: parent, header } = chain.head;
      const seal = sealAbove(parent, header, params);
      const [time, proposer] = [header.time + INTERVAL_MS, genesis.validators[0]!.key];
      const { block } = chain.build({ offer() {} }, { parent, time, proposer, seal: encodeSeal(seal) })!;
      const made = change(mined(block.header, seal), seal.hardness);
      const next = { ...block, header: made, id: blockId(made) };
      expect(chain.validate(next).ok).toBe(true);
      const final = Math.max(chain.final.header.height, made.height - depth);
      for (const each of chain.adopt(next.id, final)) await store.commit({ ...each, certificate: null });
    },
  };
}

describe('a node proves by work', () => {
  test('what is final, under all that stands on it, while the chain goes on', async () => {
    const { genesis, store, chain, mine } = await miner();
    for (let height = 1; height <= 8; height++) await mine();
    const trusted = trustedGenesis(genesis);
    const versions = stateVersions(chain, store);
    const proofs = prover({ genesis, spec: pow.spec, chain, versions, store });
    const provedAt = async (height: number) => {
      const bundle = await proofs.state('nothing', height);
      const verified = bundle.ok ? verifyProof(bundle.value, trusted) : bundle;
      return verified.ok ? verified.value : verified.error;
    };
    expect(chain.final.header.height).toBe(8 - DEPTH);
    expect(await provedAt(8 - DEPTH)).toMatchObject({ height: 8 - DEPTH, depth: DEPTH, claim: { value: null } });
    expect(await provedAt(2)).toMatchObject({ height: 2, depth: 6 });
    // Whoever reads page by page may find more of it final than when they began.
    const during: Store['headers'] = async (from, limit) => {
      const page = await store.headers(from, limit);
      if (chain.head.header.height < 10) await mine();
      return page;
    };
    const moving = prover({ genesis, spec: pow.spec, chain, versions, store: { ...store, headers: during } });
    const bundle = await moving.state('nothing', 3);
    expect(chain.head.header.height).toBe(10);
    expect(bundle.ok && verifyProof(bundle.value, trusted)).toMatchObject({ value: { height: 3, depth: 7 } });
  });

  test('nothing of block 0, and nothing above what a bundle holds', async () => {
    const { genesis, store, chain, mine } = await miner();
    await mine();
    const tree = chain.final.tree;
    const versions = { ...stateVersions(chain, store), at: () => tree };
    const proofs = prover({ genesis, spec: pow.spec, chain, versions, store });
    expect(await proofs.state('nothing', 0)).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
    const heightMax = WORK_HEADERS_MAX - DEPTH;
    expect(await proofs.state('nothing', heightMax + 1)).toMatchObject({
      ok: false,
      error: { code: 'RESPONSE_TOO_LARGE', data: { heightMax } },
    });
  });

  test('puts one bundle together at a time, and lets only a few wait', async () => {
    const { genesis, store, chain, mine } = await miner();
    for (let height = 1; height <= DEPTH + 1; height++) await mine();
    const tree = chain.final.tree;
    const versions = { ...stateVersions(chain, store), at: () => tree };
    let reading = 0;
    let most = 0;
    const headers: Store['headers'] = async (from, limit) => {
      most = Math.max(most, ++reading);
      const page = await store.headers(from, limit);
      reading--;
      return page;
    };
    const proofs = prover({ genesis, spec: pow.spec, chain, versions, store: { ...store, headers } });
    const height = chain.final.header.height;
    const ask = () => Promise.all(Array.from({ length: 40 }, () => proofs.state('nothing', height)));
    for (let round = 0; round < 2; round++) {
      const codes = (await ask()).map(each => (each.ok ? 'ok' : each.error.code));
      expect(codes.slice(0, 8)).toEqual(Array(8).fill('ok'));
      expect(codes.slice(8)).toEqual(Array(32).fill('BUSY'));
    }
    expect(most).toBe(1);
  });
});

describe('node verify', () => {
  const LENGTH = 4;
  const findings = async (
    change?: (found: Header, hardness: number) => Header,
    damage: (level: Level) => Promise<void> = async () => {},
  ) => {
    const { home, mine, close } = await miner();
    for (let height = 1; height < LENGTH; height++) await mine(0);
    await mine(0, change);
    await close();
    const level = await openLevel(join(home, 'data', 'level'));
    await damage(level).finally(() => level.close());
    return (await verifyStore(home, () => {})).findings;
  };

  test('finds blocks that took their work in order', async () => {
    expect(await findings()).toEqual([]);
  });

  test('finds a state that is not what the blocks made of it', async () => {
    const validators = textKey(BUCKET.state, register.path());
    const more = textKey(BUCKET.state, 'zzz');
    const differs = (what: string) => [{ code: 'STATE_DIFFERS', height: LENGTH, what }];
    const written = (key: Uint8Array) => findings(undefined, level => level.write(batch => batch.put(key, EMPTY)));
    expect(await written(validators)).toEqual(differs(`"${register.path()}" on disk is not as the blocks left it`));
    expect(await written(more)).toEqual(differs('"zzz" on disk is not as the blocks left it'));
    expect(await findings(undefined, level => level.write(batch => batch.delete(validators)))).toEqual(
      differs('1 entries are not on disk'),
    );
  });

  test('finds a block whose id misses its target, though it executes', async () => {
    const missing = (found: Header, hardness: number): Header => {
      for (let last = 0; ; last++) {
        const missed = { ...found, seal: found.seal.with(found.seal.length - 1, last) };
        if (!meets(blockId(missed), hardness)) return missed;
      }
    };
    expect(await findings(missing)).toEqual([{ code: 'WORK_INVALID', height: LENGTH, what: 'TARGET_MISSED' }]);
  });
});
