#!/usr/bin/env node
// Plain JavaScript without anything new, so that an old Node runs at least these lines and says what to do.
import { existsSync } from 'node:fs';
import module from 'node:module';

const NODE_MAJOR = 24;

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
  process.stderr.write(
    `error: NODE_TOO_OLD: this is Node ${process.versions.node}, and quorate needs Node ${NODE_MAJOR} or newer; ` +
      'in a checkout run it as npx quorate …, which brings its own Node, or install a newer one from nodejs.org\n',
  );
  process.exitCode = 1;
} else {
  // Keeps what was compiled for the next start, which takes half the time then.
  module.enableCompileCache();
  const built = new URL('./main.js', import.meta.url);
  import(existsSync(built) ? built.href : new URL('./main.ts', import.meta.url).href).then(({ main }) =>
    main(process.argv.slice(2)),
  );
}
