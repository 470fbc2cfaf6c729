import Type from 'typebox';
import { err, type Fault, ok } from '../../ledger/types/errors.ts';
import type { BlockId, Height } from '../../ledger/types/ids.ts';
import { badCursor, cursorOf, PAGE_ITEMS_DEFAULT, page, pageParams, positionOf } from './cursor.ts';
import { fault } from './errors.ts';
import { type Method, method } from './method.ts';
import type { ChainReader, StoredBlock } from './ports.ts';
import { presentCertificate, presentHeader, presentReceipt, presentTransaction, timeOf } from './presentation.ts';
import {
  certificateObject,
  countNumber,
  hashText,
  headerObject,
  heightNumber,
  nullable,
  oneOf,
  receiptObject,
  timeText,
  transactionObject,
} from './schemas.ts';

export const statusObject = Type.Object({
  chainId: Type.String(),
  genesisId: hashText,
  engine: Type.String(),
  trust: oneOf('byzantine', 'crash', 'none'),
  finality: Type.String(),
  finalityDepth: countNumber,
  height: heightNumber,
  finalHeight: heightNumber,
  head: hashText,
  time: timeText,
  syncing: Type.Boolean(),
  blocksBehind: countNumber,
  validators: countNumber,
  version: Type.String(),
});

const blockObject = Type.Object({
  id: hashText,
  header: headerObject,
  transactions: Type.Array(
    Type.Union([hashText, Type.Object({ ...transactionObject.properties, receipt: nullable(receiptObject) })]),
  ),
  certificate: nullable(certificateObject),
});

export function chainMethods(chain: ChainReader, version: string): Method[] {
  return [
    method({
      name: 'chain_getStatus',
      summary: 'Where this node stands.',
      params: {},
      result: statusObject,
      handler() {
        const status = chain.status();
        return ok({ ...status, time: timeOf(status.time), version });
      },
    }),
    getBlock(chain),
    getBlocks(chain),
  ];
}

function getBlock(chain: ChainReader): Method {
  return method({
    name: 'chain_getBlock',
    summary: 'A final block by its height or id, the newest without either; `full` brings bodies and receipts.',
    params: {
      height: Type.Optional(heightNumber),
      id: Type.Optional(hashText),
      full: Type.Optional(Type.Boolean({ description: 'true or false' })),
    },
    positions: [['height', 'id'], ['full']],
    result: blockObject,
    errors: ['NOT_FOUND', 'PRUNED'],
    async handler({ height, id, full = false }) {
      if (height !== undefined && id !== undefined)
        return err(fault('INVALID_PARAMS', 'parameters height and id exclude each other'));
      const at = (id as BlockId | undefined) ?? height ?? chain.status().finalHeight;
      const stored = await chain.block(at);
      if (!stored) return err(noBlock(at, chain));
      const { header, id: found } = stored.block;
      return ok({
        id: found,
        header: presentHeader(header),
        transactions: full ? await bodies(chain, stored) : stored.block.transactions.map(each => each.id),
        certificate: stored.certificate && presentCertificate(stored.certificate),
      });
    },
  });
}

export function noBlock(at: Height | BlockId, { oldest, status }: ChainReader): Fault {
  const what = typeof at === 'number' ? `at height ${at}` : at;
  if (typeof at === 'number' && at < oldest)
    return fault('PRUNED', `no block ${what} here: this node began from a snapshot at height ${oldest - 1}`, {
      hint: 'ask another node, or for data.oldestHeight or later',
      data: { oldestHeight: oldest },
    });
  return notHere(`no final block ${what}`, oldest, { finalHeight: status().finalHeight });
}

/** What is not found may be older than all that a node holds which began from a snapshot. */
export function notHere(message: string, oldest: Height, data: Readonly<Record<string, unknown>> = {}): Fault {
  if (oldest === 0) return fault('NOT_FOUND', message, { data });
  return fault('NOT_FOUND', `${message}; blocks are held from height ${oldest} on`, {
    hint: 'this node began from a snapshot: ask another one for what was recorded before',
    data: { ...data, oldestHeight: oldest },
  });
}

async function bodies(chain: ChainReader, { block }: StoredBlock) {
  const receipts = await chain.receipts(block.header.height);
  return block.transactions.map((transaction, i) => {
    const receipt = receipts?.[i];
    return { ...presentTransaction(transaction), receipt: receipt ? presentReceipt(receipt) : null };
  });
}

function getBlocks(chain: ChainReader): Method {
  return method({
    name: 'chain_getBlocks',
    summary: 'The headers of final blocks `from` … `to` in ascending order; `to` is the newest where it is left out.',
    params: { from: Type.Optional(heightNumber), to: Type.Optional(heightNumber), ...pageParams },
    result: page(Type.Object({ id: hashText, header: headerObject })),
    async handler({ from = 0, to, limit = PAGE_ITEMS_DEFAULT, cursor }) {
      const start = cursor === undefined ? from : heightOf(cursor);
      if (start === null) return err(badCursor());
      const last = Math.min(to ?? Number.MAX_SAFE_INTEGER, chain.status().finalHeight);
      const items = [];
      let height = start;
      for (; height <= last && items.length < limit; height++) {
        const found = await chain.header(height);
        if (!found) return err(noBlock(height, chain));
        items.push({ id: found.id, header: presentHeader(found.header) });
      }
      return ok({ items, next: height <= last ? cursorOf(String(height)) : null });
    },
  });
}

function heightOf(cursor: string): Height | null {
  const position = positionOf(cursor);
  return position !== null && /^\d{1,15}$/.test(position) ? Number(position) : null;
}
