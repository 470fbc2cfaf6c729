/**
 * A process that answers every request with a text of the length that its path says, and does nothing else: what Node's own
 * HTTP server can do on this machine.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const texts = new Map<string, string>();

function textOf(path: string): string {
  let text = texts.get(path);
  if (text === undefined) {
    text = 'x'.repeat(Number(path.slice(1)));
    texts.set(path, text);
  }
  return text;
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', part => parts.push(part));
  request.on('end', () => {
    Buffer.concat(parts);
    const text = textOf(request.url!);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length }).end(text);
  });
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
