import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { blockId } from '../../ledger/crypto/ids.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import type { Header } from '../../ledger/types/header.ts';
import { DOUBLING, meets, targetOf } from '../../ledger/types/work/hardness.ts';
import { headerFault } from '../../ledger/types/work/header-rule.ts';
import { encodeSeal, isSameButNonce, sealAbove } from '../../ledger/types/work/seal.ts';
import { createMiner, type Miner } from '../../node/miner.ts';
import { ownTime } from '../own-time.ts';
import { genesis, on, PARAMS, POW_PARAMS } from './consensus/pow-script.ts';
import { alice, bob, key, network, op, transaction } from './ledger/network.ts';

const IMPOSSIBLE = targetOf(150 * DOUBLING);
const EASY = targetOf(10 * DOUBLING);
/** As an engine asks for it, with a nonce of zeros. */
const asked: Header = on(genesis).header;

let miner: Miner;
afterEach(() => miner.stop());

describe('the miner', () => {
  it('finds a nonce for a block that the engine takes', async () => {
    miner = createMiner();
    const parent = { id: blockId(genesis.header), header: genesis.header };
    const seal = sealAbove(parent.id, parent.header, POW_PARAMS);
    const header = { ...asked, parent: parent.id, seal: encodeSeal(seal) };
    const mined = await miner.search('1/0', header, targetOf(seal.hardness));
    expect(mined!.id).toBe(blockId(mined!.header));
    expect(meets(mined!.id, seal.hardness)).toBe(true);
    expect(headerFault(POW_PARAMS, parent, mined!)).toBeNull();
    // Nothing but the nonce has changed.
    expect(isSameButNonce(mined!.header.seal, header.seal)).toBe(true);
    expect({ ...mined!.header, seal: header.seal }).toEqual(header);
  });

  it('finds a block that the ledger executes, to the same state', async () => {
    miner = createMiner();
    const { chain, start } = network();
    const parent = { id: start.id, header: start.header };
    const { hardness, ...rest } = sealAbove(parent.id, parent.header, POW_PARAMS);
    const seal = encodeSeal({ hardness, ...rest });
    const time = start.header.time + PARAMS.viewTimeoutMs;
    const payment = transaction(alice, [op(transfer, { token: 'QRT', to: bob.address, amount: 5n })]);
    const source = { offer: (take: (each: typeof payment) => unknown) => void take(payment) };
    const draft = chain.build(source, { parent: parent.id, time, proposer: key(100), seal })!;
    const mined = await miner.search('1/0', draft.block.header, targetOf(hardness));
    expect(headerFault(POW_PARAMS, parent, mined!)).toBeNull();
    const verdict = chain.validate({ ...draft.block, ...mined! });
    expect(verdict.ok && verdict.value.header).toEqual(mined!.header);
    chain.adopt(mined!.id, 0);
    expect(chain.head.header.stateRoot).toBe(draft.block.header.stateRoot);
  });

  it('finds one after the other, and takes about as many hashes as it should', async () => {
    miner = createMiner();
    const nonces: number[] = [];
    for (let i = 0; i < 40; i++) {
      const mined = await miner.search(`1/${i}`, { ...asked, time: asked.time + i }, EASY);
      const { buffer, byteOffset, length } = mined!.header.seal;
      nonces.push(new DataView(buffer, byteOffset + length - 4).getUint32(0));
    }
    const mean = nonces.reduce((sum, each) => sum + each, 0) / nonces.length;
    // 1,024 on average; of forty the mean lies within these bounds but for one time in millions.
    expect(mean).toBeGreaterThan(300);
    expect(mean).toBeLessThan(2_500);
  });

  it('stops looking when it is called off, and is at once ready for the next', async () => {
    miner = createMiner();
    const hopeless = miner.search('1/0', asked, IMPOSSIBLE);
    await sleep(50);
    miner.cancel('1/9');
    expect(await Promise.race([hopeless, sleep(20, 'searching')])).toBe('searching');
    miner.cancel('1/0');
    expect(await hopeless).toBeNull();
    const since = ownTime();
    expect(await miner.search('1/1', asked, EASY)).not.toBeNull();
    expect(ownTime() - since).toBeLessThan(1_000);
  });

  it('has one search at a time: a new one ends the one before', async () => {
    miner = createMiner();
    const first = miner.search('1/0', asked, IMPOSSIBLE);
    const second = miner.search('1/1', asked, EASY);
    expect(await first).toBeNull();
    expect(await second).not.toBeNull();
    // What came after the answer concerns nobody.
    miner.cancel('1/1');
    expect(await miner.search('1/2', asked, EASY)).not.toBeNull();
  });

  it('that was stopped finds nothing any more', async () => {
    miner = createMiner();
    const search = miner.search('1/0', asked, IMPOSSIBLE);
    await miner.stop();
    expect(await search).toBeNull();
    expect(await miner.search('1/1', asked, EASY)).toBeNull();
  });

  it('leaves the event loop free', async () => {
    miner = createMiner();
    const search = miner.search('1/0', asked, IMPOSSIBLE);
    await sleep(100);
    let turns = 0;
    for (const until = performance.now() + 200; performance.now() < until; turns++) await sleep(1);
    expect(turns).toBeGreaterThan(20);
    miner.cancel('1/0');
    await search;
  });
});
