/** A steady trickle of transactions into honest nodes, and how much of it becomes final, and how soon. */
import { pause } from '../../client/rpc.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import { operationOf, signTransaction, transactionOf } from '../../client/transaction.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { type Node, type Scene, type Sender, TOKEN } from './scene.ts';

const INTERVAL_MS = 100;
const FINAL_TIMEOUT_MS = 60_000;
const VALID_MS = 5 * 60 * 1000;

export function transferOf({ genesis, senders }: Scene, sender: Sender, validMs = VALID_MS): IdentifiedTransaction {
  const to = senders[0]!.address;
  const operations = [operationOf(transfer, { token: TOKEN, to, amount: 1n })];
  const draft = { chainId: genesis.chainId, sender: sender.address, validUntil: Date.now() + validMs, operations };
  return signTransaction(transactionOf(draft), [sender.key]);
}

export interface Progress {
  readonly sent: number;
  /** Of those sent, how many were final when the time was over. */
  readonly final: number;
  readonly latencyMs: { readonly p50: number; readonly max: number };
  readonly seconds: number;
}

export interface Trickle {
  /** What happened since the last call of this function. */
  lap(): Progress;
  /** Sends no more, and waits until everything sent is final; throws where something is not. */
  stop(): Promise<Progress>;
}

/** Sends a transfer to each of `nodes` in turn, whatever became of the one before. */
export function startTrickle(scene: Scene, nodes: readonly Node[] = scene.nodes): Trickle {
  const stopped = new AbortController();
  const waiting = new Set<Promise<void>>();
  const failures: string[] = [];
  let latencies: number[] = [];
  let sent = 0;
  let since = performance.now();

  async function send(i: number): Promise<void> {
    const { rpc, name } = nodes[i % nodes.length]!;
    const transaction = transferOf(scene, scene.senders[i % scene.senders.length]!);
    const begun = performance.now();
    const outcome = await submitUntilFinal(rpc, transaction, { timeoutMs: FINAL_TIMEOUT_MS });
    if (outcome.ok && outcome.value.succeeded) latencies.push(performance.now() - begun);
    else failures.push(`${name}: ${outcome.ok ? outcome.value.code : outcome.error.code}`);
  }

  async function run(): Promise<void> {
    for (let i = 0; !stopped.signal.aborted; i++) {
      sent++;
      const sending = send(i).finally(() => waiting.delete(sending));
      waiting.add(sending);
      await pause(INTERVAL_MS);
    }
  }

  function lap(): Progress {
    const sorted = latencies.toSorted((a, b) => a - b);
    const progress = {
      ...{ sent, final: sorted.length, seconds: (performance.now() - since) / 1_000 },
      latencyMs: { p50: Math.round(sorted[sorted.length >> 1] ?? NaN), max: Math.round(sorted.at(-1) ?? NaN) },
    };
    latencies = [];
    sent = 0;
    since = performance.now();
    return progress;
  }

  const running = run();
  return {
    lap,
    async stop() {
      stopped.abort();
      await running;
      await Promise.all(waiting);
      if (failures.length > 0) throw new Error(`not final: ${failures.join(', ')}`);
      return lap();
    },
  };
}
