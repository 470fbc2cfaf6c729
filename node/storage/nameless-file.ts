/** Files for what is not kept: they have no name, so that their room on the disk is free again once they are closed, however the process ends. */
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** An empty file on the disk of `directory`, to be written and read. `name` is what it is called for a moment. */
export async function namelessFile(directory: string, name: string): Promise<FileHandle> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, name);
  const file = await open(path, 'w+', 0o600);
  await rm(path);
  return file;
}
