/**
 * A node's use of its store, to be killed at any moment: persists and commits one chain, and says on standard output what has
 * been acknowledged, each line only after its promise. Takes the directory and the blocks in the whole chain.
 */
import { writeSync } from 'node:fs';
import { utf8 } from '../../../ledger/types/bytes.ts';
import { openStore } from '../../../node/storage/store.ts';
import { GENESIS, makeChain } from './chain.ts';

const [directory, count] = process.argv.slice(2);
const { finals } = makeChain(Number(count), { transactions: 20, payloadBytes: 500 });
const store = await openStore(directory!, {
  genesisId: GENESIS,
  failed: fault => {
    throw fault;
  },
  segmentBytesMax: 100_000,
});
for (const { block } of store.recovered.replay) await store.commit(finals[block.header.height]!);
writeSync(1, `open ${store.recovered.final?.height ?? -1} ${store.final?.height ?? -1}\n`);
for (const final of finals.slice((store.final?.height ?? -1) + 1)) {
  const { height } = final.block.header;
  await store.persist([{ key: 'vote', value: utf8(String(height)) }], [final.block]);
  writeSync(1, `vote ${height}\n`);
  await store.commit(final);
  if (height % 3 === 0) continue;
  await store.persist([{ key: 'decided', value: utf8(String(height)) }], []);
  writeSync(1, `final ${height}\n`);
}
await store.close();
writeSync(1, 'closed\n');
