import Type from 'typebox';
import { ok } from '../../ledger/types/errors.ts';
import { type Method, method } from './method.ts';
import type { PoolReader } from './ports.ts';
import { timeOf } from './presentation.ts';
import { countNumber, nullable, timeText } from './schemas.ts';

export function mempoolMethods(pool: PoolReader): Method[] {
  return [
    method({
      name: 'mempool_getStatus',
      summary: 'How much waits on this node for a block, and how much can.',
      params: {},
      result: Type.Object({
        transactions: countNumber,
        bytes: countNumber,
        transactionsMax: countNumber,
        bytesMax: countNumber,
        oldestSince: nullable(timeText),
      }),
      handler() {
        const { transactions, bytes, transactionsMax, bytesMax, oldestSince } = pool.status();
        const since = oldestSince === null ? null : timeOf(oldestSince);
        return ok({ transactions, bytes, transactionsMax, bytesMax, oldestSince: since });
      },
    }),
  ];
}
