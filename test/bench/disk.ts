import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile } from './result.ts';

const ROUNDS = 200;
const RECORD_BYTES = 2_048;
/** A block waits for two of them, one after the other: body and prepare, then prepared certificate and commit. */
const SYNCS_PER_BLOCK = 2;

/** What an append with fdatasync takes here, and what the disk alone makes a block wait, in ms. */
export async function fdatasyncLimit(): Promise<{ readonly syncMs: number; readonly blockMs: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-disk-'));
  const file = await open(join(directory, 'log'), 'a');
  try {
    const samples: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const start = performance.now();
      await file.write(new Uint8Array(RECORD_BYTES));
      await file.datasync();
      samples.push(performance.now() - start);
    }
    const syncMs = percentile(samples, 0.5);
    return { syncMs, blockMs: SYNCS_PER_BLOCK * syncMs };
  } finally {
    await file.close();
    await rm(directory, { recursive: true, force: true });
  }
}
