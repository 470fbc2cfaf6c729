/** The state tree's root by its definition alone, computed anew from the whole content: what the tree is compared with. */
import { createHash } from 'node:crypto';
import type { Bytes } from '../../ledger/types/bytes.ts';

const sha256 = (...parts: readonly (Bytes | string)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

interface Item {
  readonly path: Buffer;
  readonly value: Buffer;
}

export function referenceRoot(content: ReadonlyMap<string, Bytes>): string {
  const items = [...content].map(([key, value]) => ({ path: sha256(key), value: sha256(value) }));
  items.sort((a, b) => Buffer.compare(a.path, b.path));
  return subtree(items, 0).toString('hex');
}

function subtree(items: readonly Item[], depth: number): Buffer {
  if (items.length <= 16) return sha256(Buffer.of(2), ...items.flatMap(item => [item.path, item.value]));
  let bitmap = 0;
  const children: Buffer[] = [];
  for (let digit = 0; digit < 16; digit++) {
    const inside = items.filter(item => Number.parseInt(item.path.toString('hex')[depth]!, 16) === digit);
    if (inside.length === 0) continue;
    bitmap += 2 ** digit;
    children.push(subtree(inside, depth + 1));
  }
  return sha256(Buffer.of(3, Math.floor(bitmap / 256), bitmap % 256), ...children);
}
