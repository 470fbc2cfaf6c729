/** How values that are kept whole are decoded. */
import type { Codec } from '../ledger/types/codec.ts';

/**
 * `codec` for a value that fills its frame and is kept as a whole: the byte strings in it are views of the one frame, where each would
 * otherwise be a copy with memory of its own. A block has thousands.
 */
export const kept = <T>(codec: Codec<T>): Codec<T> => ({
  write: codec.write,
  read(reader) {
    reader.own();
    return codec.read(reader);
  },
});
