/** A process that verifies ed25519 signatures for about a second and reports how many it did in one. */
import { publicKeyOf, sign, verify } from '#crypto';

const DURATION_MS = 1_000;
const BATCH = 64;

const key = { type: 'ed25519', secret: new Uint8Array(32).fill(7) } as const;
const publicKey = publicKeyOf(key);
const messages = Array.from({ length: BATCH }, (_, i) => new Uint8Array(80).fill(i));
const signatures = messages.map(message => sign(key, message));

function round(): void {
  for (const [i, message] of messages.entries())
    if (!verify(publicKey, message, signatures[i]!)) throw new Error('a good signature was refused');
}

// The first rounds find the code not yet compiled.
for (let i = 0; i < 10; i++) round();
const start = performance.now();
let done = 0;
while (performance.now() - start < DURATION_MS) {
  round();
  done += BATCH;
}
process.send!((done / (performance.now() - start)) * 1_000, () => process.disconnect());
