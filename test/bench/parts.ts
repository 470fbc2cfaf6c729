/** Which part of a node a stack of functions belongs to. */
import type { Frame } from './sampling.ts';

/** No work at all. */
export const IDLE = 'idle';

/** The first that fits a function or, where none does, its caller: the innermost function that somebody here wrote decides. */
const PARTS: readonly (readonly [part: string, fits: RegExp])[] = [
  ['signatures', /ledger\/crypto\/native\.ts#(verify|verifierOf|sign|pairOf)|sodium-native/],
  ['hashes', /ledger\/crypto\/(native|ids|merkle)\.ts/],
  ['encoding', /ledger\/types\//],
  ['state tree', /ledger\/state\/(tree|node|leaf|change|value|path)\.ts/],
  ['mempool', /ledger\/(mempool|expiries)\.ts/],
  ['execution', /ledger\//],
  ['consensus', /consensus\//],
  ['storage', /node\/storage\/|classic-level|abstract-level/],
  ['clients', /node\/rpc\/|fastify|light-my-request|find-my-way/],
  [
    'libp2p',
    /node_modules\/(@libp2p|@chainsafe|it-|uint8|protons|multiformats|@multiformats|@noble|race-|p-queue|progress-events|main-event)/,
  ],
  ['network', /node\/network\//],
  ['node', /node\/|cli\//],
];

const NATIVE: Readonly<Record<string, string>> = {
  '(idle)': IDLE,
  '(garbage collector)': 'garbage collector',
};

export function partOf(stack: readonly Frame[]): string {
  const native = NATIVE[stack[0]!.name];
  if (native) return native;
  for (const { name, url } of stack) {
    if (url === '' || url.startsWith('node:')) continue;
    const place = `${url}#${name}`;
    const part = PARTS.find(([, fits]) => fits.test(place));
    if (part) return part[0];
  }
  return stack[0]!.name === '(program)' ? 'Node and the system, outside JavaScript' : 'Node';
}
