/** What clients saw: calls and returns of operations on one shared object, on one clock. */

export interface Operation<I, O> {
  readonly process: number;
  readonly input: I;
  readonly call: number;
  /** null: the client never learned what became of it, so it may have happened at any time since the call, or never. */
  readonly done: { readonly at: number; readonly output: O } | null;
}

export type History<I, O> = readonly Operation<I, O>[];

/** Collects a history while it happens. Times come from whoever runs the clients, and may repeat. */
export interface Recorder<I, O> {
  /** Notes a call; the returned function notes its end. An operation that is never ended stays unknown. */
  call(process: number, input: I, at: number): (output: O, at: number) => void;
  history(): History<I, O>;
}

export function recorder<I, O>(): Recorder<I, O> {
  const operations: { process: number; input: I; call: number; done: { at: number; output: O } | null }[] = [];
  return {
    call(process, input, at) {
      const operation: (typeof operations)[number] = { process, input, call: at, done: null };
      operations.push(operation);
      return (output, end) => {
        if (operation.done !== null) throw new Error('an operation ended twice');
        operation.done = { at: end, output };
      };
    },
    history: () => operations.map(each => ({ ...each })),
  };
}
