#!/usr/bin/env node
// Plain JavaScript without anything new, so that an old Node runs at least these lines and says what to do.
import { existsSync } from 'node:fs';
import module from 'node:module';

const NODE_MAJOR = 24;

/**
 * A node's memory is bounded by what it holds, not by garbage: an old generation that grows slowly, and a nursery no larger than
 * it takes for most of a block to be gone when it is looked through.
 */
const NODE_FLAGS = ['--max-semi-space-size=16', '--heap-growing-percent=40'];

/** For the allocator of glibc: each arena keeps what it once had, and so does the heap below what is still in use. */
const NODE_ENVIRONMENT = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '65536' };

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
  process.stderr.write(
    `error: NODE_TOO_OLD: this is Node ${process.versions.node}, and quorate needs Node ${NODE_MAJOR} or newer; ` +
      'in a checkout run it as npx quorate …, which brings its own Node, or install a newer one from nodejs.org\n',
  );
  process.exitCode = 1;
} else {
  const [, , group, command] = process.argv;
  // The nursery's size is fixed once a process runs: it becomes one that began with the flags, under the same number.
  if (group === 'node' && command === 'start' && process.execArgv.length === 0 && process.platform !== 'win32')
    process.execve(process.execPath, [process.execPath, ...NODE_FLAGS, ...process.argv.slice(1)], {
      ...NODE_ENVIRONMENT,
      ...process.env,
    });
  // Keeps what was compiled for the next start, which takes half the time then.
  module.enableCompileCache();
  const built = new URL('./main.js', import.meta.url);
  import(existsSync(built) ? built.href : new URL('./main.ts', import.meta.url).href).then(({ main }) =>
    main(process.argv.slice(2)),
  );
}
