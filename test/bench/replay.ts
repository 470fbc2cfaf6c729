/** What replaying blocks costs at least: the ledger's own work on them, in this process, without network and disk. */
import { engines } from '../../consensus/registry.ts';
import { createChain } from '../../ledger/chain.ts';
import { type Genesis, genesisId } from '../../ledger/genesis.ts';
import { genesisBlock } from '../../ledger/genesis-block.ts';
import { decode } from '../../ledger/types/codec.ts';
import { judgeCertified } from '../../node/catch-up.ts';
import { loadHome } from '../../node/home.ts';
import { certifiedBlock, certifiedBlockBytes } from '../../node/network/certified-block.ts';
import { openStore } from '../../node/storage/store.ts';

/**
 * Transactions per second. Decodes, checks and executes every block that the stopped node of `home` holds, as its peers would send
 * them, on one thread: a node that catches up cannot be faster. `warmUp` transactions come before the measuring begins: code is
 * slow until it is compiled.
 */
export async function executionLimit(
  genesis: Genesis,
  home: string,
  warmUp: number,
  onProgress: (done: number) => void,
): Promise<number> {
  const store = await openStore(loadHome(home, process.env).dataDirectory, {
    genesisId: genesisId(genesis),
    failed: error => {
      throw error;
    },
  });
  try {
    const rule = engines.get(genesis.consensus.engine)!.spec.certificate;
    const chain = createChain({ chainId: genesis.chainId, limits: genesis.limits }, genesisBlock(genesis).state);
    let transactions = 0;
    let measured = 0;
    let spentMs = 0;
    for (let height = 1; height <= store.final!.height; height++) {
      const frame = certifiedBlockBytes(store.blockBytes(height)!, store.certificate(height));
      const start = performance.now();
      const decoded = decode(certifiedBlock, frame);
      if (!decoded.ok) throw new Error(`block ${height} does not decode: ${decoded.error.reason}`);
      const found = judgeCertified(chain, rule, decoded.value);
      if (found.verdict !== 'ok') throw new Error(`block ${height} is ${found.verdict}`);
      chain.adopt(found.id, height);
      const took = performance.now() - start;
      const { length } = decoded.value.block.transactions;
      if (transactions >= warmUp) {
        measured += length;
        spentMs += took;
      }
      transactions += length;
      onProgress(transactions);
    }
    return measured / (spentMs / 1_000);
  } finally {
    await store.close();
  }
}
