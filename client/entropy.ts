/** Gives `length` bytes that nobody can guess. What needs them takes this as an argument, so that it stays a function. */
export type Entropy = (length: number) => Uint8Array;

/** Entropy of the platform's own generator: a browser's or Node's. */
export const randomBytes: Entropy = length => globalThis.crypto.getRandomValues(new Uint8Array(length));
