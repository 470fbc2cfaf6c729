/** Final blocks and what belongs to them, by height; the heights by block id and by transaction id. */
import { blockId, identify } from '../../ledger/crypto/ids.ts';
import { encodeReceipts } from '../../ledger/receipts.ts';
import { BLOCK_TRANSACTIONS_MAX, type IdentifiedBlock } from '../../ledger/types/block.ts';
import { type Bytes, concatBytes, fromHex, toHex } from '../../ledger/types/bytes.ts';
import { type Certificate, certificate } from '../../ledger/types/certificate.ts';
import { type Codec, decode, encode, list, struct, uint } from '../../ledger/types/codec.ts';
import { type Header, header } from '../../ledger/types/header.ts';
import { type BlockId, HASH_LENGTH, type Height, height, type TransactionId } from '../../ledger/types/ids.ts';
import { type Receipt, receipt } from '../../ledger/types/receipt.ts';
import { transaction } from '../../ledger/types/transaction.ts';
import { kept } from '../kept-codec.ts';
import { storeDamaged } from './fault.ts';
import { BUCKET, heightKey, idKey, type Level, type LevelBatch } from './level.ts';
import { scratch } from './scratch.ts';

export interface StoredHeader {
  readonly id: BlockId;
  readonly header: Header;
}

/** Where a transaction is recorded. */
export interface Place {
  readonly height: Height;
  readonly index: number;
}

/** A block's two parts as they are stored; together they are its canonical encoding. */
export interface EncodedBlock {
  readonly header: Bytes;
  readonly body: Bytes;
}

export interface FinalParts {
  readonly block: IdentifiedBlock;
  readonly encoded: EncodedBlock;
  readonly receipts: readonly Receipt[];
  readonly certificate: Certificate | null;
}

export interface BlockStore {
  header(height: Height): StoredHeader | null;
  block(height: Height): IdentifiedBlock | null;
  /** The canonical encoding of the block, for whoever sends it on. */
  encoded(height: Height): EncodedBlock | null;
  certificate(height: Height): Certificate | null;
  receipts(height: Height): readonly Receipt[] | null;
  heightOf(id: BlockId): Height | null;
  place(id: TransactionId): Place | null;
  /** Up to `limit` headers from the height `from` on. */
  headers(from: Height, limit: number): Promise<StoredHeader[]>;
}

const transactions = kept(list(transaction, BLOCK_TRANSACTIONS_MAX));
const receipts = list(receipt, BLOCK_TRANSACTIONS_MAX);
const place: Codec<Place> = struct({ height, index: uint(BLOCK_TRANSACTIONS_MAX) });

export const encodeBlock = (block: IdentifiedBlock): EncodedBlock => ({
  header: encode(header, block.header),
  body: encode(transactions, block.transactions),
});

const keyRoom = scratch();
const placeRoom = scratch();

/** The encoding of a {@link Place}, good until the next call: one for each transaction, of two integers that are short. */
function placeBytes({ height: at, index }: Place): Bytes {
  const bytes = placeRoom(varintLength(at) + varintLength(index));
  writeVarint(bytes, writeVarint(bytes, 0, at), index);
  return bytes;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** Answers where the next one goes. */
function writeVarint(bytes: Bytes, at: number, value: number): number {
  let end = at;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[end++] = (rest % 0x80) + 0x80;
  bytes[end++] = rest;
  return end;
}

/** A header by height, and its height by id. */
export function putHeader(batch: LevelBatch, { id, header: { height: at } }: StoredHeader, encoded: Bytes): void {
  batch.put(heightKey(BUCKET.header, at), concatBytes(fromHex(id)!, encoded));
  batch.put(idKey(BUCKET.height, id), encode(height, at));
}

/** What makes a block part of the store. */
export function putBlock(batch: LevelBatch, { block, encoded, receipts: of, certificate: by }: FinalParts): void {
  const at = block.header.height;
  putHeader(batch, block, encoded.header);
  batch.put(heightKey(BUCKET.body, at), encoded.body);
  batch.put(heightKey(BUCKET.receipts, at), encodeReceipts(of));
  if (by) batch.put(heightKey(BUCKET.certificate, at), encode(certificate, by));
  for (let index = 0; index < block.transactions.length; index++) {
    const key = idKey(BUCKET.transaction, block.transactions[index]!.id, keyRoom);
    batch.put(key, placeBytes({ height: at, index }));
  }
}

/** Whether the block's header names `id` and its body decodes; whoever executes it sees whether the body fits the header. */
export function decodeBlock(encoded: EncodedBlock): IdentifiedBlock | null {
  const head = decode(header, encoded.header);
  const body = decode(transactions, encoded.body);
  if (!head.ok || !body.ok) return null;
  return { id: blockId(head.value), header: head.value, transactions: body.value.map(identify) };
}

/** Below the height `oldest` a body that is not there was never held: the node began from a snapshot. */
export function openBlockStore(level: Level, oldest: Height = 0): BlockStore {
  function damaged(what: string): never {
    throw storeDamaged(level.path, what);
  }

  function read<T>(codec: Codec<T>, key: Bytes, what: string): T | null {
    const bytes = level.get(key);
    if (bytes === null) return null;
    const result = decode(codec, bytes);
    return result.ok ? result.value : damaged(`${what} does not decode`);
  }

  function readHeader(bytes: Bytes, at: Height): StoredHeader {
    const id = toHex(bytes.subarray(0, HASH_LENGTH)) as BlockId;
    const result = decode(header, bytes.subarray(HASH_LENGTH));
    if (!result.ok || result.value.height !== at || blockId(result.value) !== id) {
      return damaged(`the header at height ${at} is not the one that was stored`);
    }
    return { id, header: result.value };
  }

  function headerAt(at: Height): StoredHeader | null {
    const bytes = level.get(heightKey(BUCKET.header, at));
    return bytes === null ? null : readHeader(bytes, at);
  }

  const bodiless = (at: Height): null => (at < oldest ? null : damaged(`the body at height ${at} is missing`));

  return {
    header: headerAt,
    block(at) {
      const head = headerAt(at);
      if (head === null) return null;
      const body = read(transactions, heightKey(BUCKET.body, at), `the body at height ${at}`);
      if (body === null) return bodiless(at);
      return { ...head, transactions: body.map(identify) };
    },
    encoded(at) {
      const head = level.get(heightKey(BUCKET.header, at));
      if (head === null) return null;
      const body = level.get(heightKey(BUCKET.body, at));
      return body === null ? bodiless(at) : { header: head.subarray(HASH_LENGTH), body };
    },
    certificate: at => read(certificate, heightKey(BUCKET.certificate, at), `the certificate at height ${at}`),
    receipts: at => read(receipts, heightKey(BUCKET.receipts, at), `the receipts at height ${at}`),
    heightOf: id => read(height, idKey(BUCKET.height, id), `the height of block ${id}`),
    place: id => read(place, idKey(BUCKET.transaction, id), `the place of transaction ${id}`),
    async headers(from, limit) {
      const after = from === 0 ? null : heightKey(BUCKET.header, from - 1);
      const page = await level.page(Uint8Array.of(BUCKET.header), after, limit);
      return page.map(([key, bytes]) => {
        const at = Number(new DataView(key.buffer, key.byteOffset, key.byteLength).getBigUint64(1));
        return readHeader(bytes, at);
      });
    },
  };
}
