import { describe, expect, it } from 'vitest';
import { block as blockCodec } from '../../../ledger/types/block.ts';
import { utf8 } from '../../../ledger/types/bytes.ts';
import { encode } from '../../../ledger/types/codec.ts';
import { makeChain } from './chain.ts';
import { open, stateOf, temporaryDirectory, write } from './fixtures.ts';

describe('the store', () => {
  it('holds after reopening what was persisted and committed', async () => {
    const directory = temporaryDirectory();
    const { blocks, finals, state } = makeChain(5);
    const store = await open(directory);
    expect(store.recovered).toEqual({ records: new Map(), pending: [], final: null, replay: [] });
    for (const final of finals.slice(0, 4)) {
      await store.persist([write('vote', `prepare ${final.block.header.height}`)], [final.block]);
      await store.commit(final);
    }
    await store.persist([write('vote', 'prepare 4'), write('lock', 'x')], [blocks[4]!]);
    await store.close();

    const again = await open(directory);
    expect(again.recovered.records).toEqual(
      new Map([
        ['vote', utf8('prepare 4')],
        ['lock', utf8('x')],
      ]),
    );
    expect(again.recovered.pending).toEqual([blocks[4]]);
    expect(again.recovered.final).toEqual({ height: 3, id: blocks[3]!.id });
    expect(again.recovered.replay).toEqual([]);
    await again.commit(finals[4]!);
    await again.flushed();
    expect(await stateOf(again)).toEqual(state);
    await again.close();
  });

  it('reads a block the same before and after it was written behind', async () => {
    const store = await open(temporaryDirectory());
    const { blocks, finals } = makeChain(3, { transactions: 5 });
    for (const final of finals) await store.commit(final);
    const read = () =>
      blocks.map(({ id, header, transactions }) => ({
        byHeight: store.block(header.height),
        byId: store.block(id),
        header: store.header(id),
        bytes: new Uint8Array(store.blockBytes(header.height)!),
        certificate: store.certificate(header.height),
        receipts: store.receipts(header.height),
        places: transactions.map(each => store.transaction(each.id)),
      }));
    const before = read();
    expect(before[1]!.byHeight).toEqual(blocks[1]);
    expect(before[1]!.bytes).toEqual(encode(blockCodec, blocks[1]!));
    expect(before[2]!.places[4]).toEqual({ height: 2, index: 4 });
    expect(before[1]!.certificate).toEqual(finals[1]!.certificate);
    expect(before[0]!.certificate).toBeNull();
    await store.flushed();
    expect(read()).toEqual(before);
    expect(store.block(3)).toBeNull();
    expect(store.block('ff'.repeat(32) as never)).toBeNull();
    expect((await store.headers(1, 10)).map(each => each.id)).toEqual([blocks[1]!.id, blocks[2]!.id]);
    await store.close();
  });
});
