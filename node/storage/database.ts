/** What the database says of itself, and whether it and the log belong together. */
import type { Bytes } from '../../ledger/types/bytes.ts';
import { type Codec, decode, encode, struct, uint } from '../../ledger/types/codec.ts';
import { type Hash, type Height, hash, height } from '../../ledger/types/ids.ts';
import type { BlockStore } from './block-store.ts';
import { formatTooNew, logDamaged, storeDamaged, wrongGenesis } from './fault.ts';
import { BUCKET, type Level, type LevelBatch, PAGE_ENTRIES_MAX, textKey } from './level.ts';
import type { LogContent } from './log.ts';
import { type Final, final, type Recovered } from './recovery.ts';

const FORMAT_VERSION = 1;

interface Meta<T> {
  readonly name: string;
  readonly codec: Codec<T>;
}

/** Written once, before anything else. */
export const FORMAT: Meta<{ readonly version: number; readonly genesisId: Hash }> = {
  name: 'format',
  codec: struct({ version: uint(), genesisId: hash }),
};

/** Written with every batch of blocks: the last of them, and how far the log was durable then. */
export const FINAL: Meta<Final & { readonly logged: number }> = {
  name: 'final',
  codec: struct({ height, id: hash, logged: uint() }),
};

/** Everything up to this height is durable. */
export const CHECKPOINT: Meta<{ readonly height: Height }> = { name: 'checkpoint', codec: struct({ height }) };

/** There where the database began from a snapshot: of the blocks up to it only headers are held, and bodies of the last. */
export const BASE: Meta<Final> = { name: 'base', codec: final };

const metaKey = (name: string): Bytes => textKey(BUCKET.meta, name);

export function readMeta<T>(level: Pick<Level, 'path' | 'get'>, { name, codec }: Meta<T>): T | null {
  const bytes = level.get(metaKey(name));
  if (bytes === null) return null;
  const result = decode(codec, bytes);
  if (!result.ok) throw storeDamaged(level.path, `its entry "${name}" does not decode`);
  return result.value;
}

export const putMeta = <T>(batch: LevelBatch, { name, codec }: Meta<T>, value: T): void =>
  batch.put(metaKey(name), encode(codec, value));

export const putFormat = (batch: LevelBatch, genesisId: Hash): void =>
  putMeta(batch, FORMAT, { version: FORMAT_VERSION, genesisId });

/**
 * The log of a node whose database was replaced by one that begins from a snapshot: its promises stay, what it decided before the
 * snapshot's block is behind the node.
 */
export function afterSnapshot(level: Level, found: Recovered): Recovered {
  const base = readMeta(level, BASE);
  if (base === null || readMeta(level, FINAL)?.id !== base.id || (found.decided?.height ?? -1) >= base.height)
    return found;
  const pending = found.pending.filter(({ block }) => block.header.height > base.height);
  return { ...found, base, decided: base, decisions: [], pending };
}

/**
 * Whether the database begins anew: it was just made, perhaps beside the log of one that was deleted. Otherwise it has to
 * be of this network and agree with the log, and to hold each block that it should.
 */
export async function checkDatabase(
  level: Level,
  blocks: BlockStore,
  genesisId: Hash,
  content: LogContent,
  recovered: Recovered,
): Promise<boolean> {
  const format = readMeta(level, FORMAT);
  if (format === null) {
    // A start that was cut short leaves a database without a word in it, and a log that has decided nothing.
    const empty = readMeta(level, FINAL) === null && (await blocks.headers(0, 1)).length === 0;
    if (empty && (level.created || recovered.decided === null)) return true;
    throw storeDamaged(level.path, 'its entry "format" is missing');
  }
  if (format.version > FORMAT_VERSION) throw formatTooNew(level.path, format.version);
  if (format.genesisId !== genesisId) throw wrongGenesis(level.path);
  checkLog(level, content, recovered);
  await checkChain(level, blocks);
  return false;
}

/**
 * The database never gets ahead of the durable log, and the log lets go of a segment only when the database durably holds what
 * was decided before the next one. Each segment begins with all that the log says, so that the oldest one there is enough.
 */
function checkLog(
  level: Level,
  { directory, segments, next }: LogContent,
  { base, decided, decisions }: Recovered,
): void {
  const last = segments.at(-1);
  if (!last) throw logDamaged(directory, 0, 'it is missing');
  const final = readMeta(level, FINAL);
  const height = final?.height ?? -1;
  if (final && final.logged >= next)
    throw logDamaged(last.path, 0, `it ends before record ${final.logged}, once durable`);
  if ((decided?.height ?? -1) < height) throw logDamaged(last.path, 0, `height ${height} is not decided in it`);
  if (base && base.height > height)
    throw storeDamaged(level.path, `it had reached height ${base.height}, not ${height}`);
  const parent = decisions[0]?.block.header.parent ?? decided?.id;
  if (final && parent !== final.id) throw storeDamaged(level.path, `its last block ${final.id} is not the log's`);
}

/**
 * What LevelDB had not synced can come back from a power cut with a batch missing in the middle. Each batch holds the headers of
 * its blocks: where those since the checkpoint are all there, so is everything else.
 */
async function checkChain(level: Level, blocks: BlockStore): Promise<void> {
  const final = readMeta(level, FINAL);
  if (final === null) return;
  let at = readMeta(level, CHECKPOINT)?.height ?? 0;
  let parent: string | null = null;
  while (at <= final.height) {
    const page = await blocks.headers(at, PAGE_ENTRIES_MAX);
    for (const { id, header } of page) {
      if (header.height !== at || (parent !== null && header.parent !== parent)) break;
      parent = id;
      at++;
    }
    if (page.at(-1)?.header.height !== at - 1) throw storeDamaged(level.path, `the block at height ${at} is missing`);
  }
  if (parent !== final.id || at !== final.height + 1)
    throw storeDamaged(level.path, 'its last block is not the one it names');
}
