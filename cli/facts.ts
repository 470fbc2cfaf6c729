/** What must be known of a network to write a transaction for it: from a node, or from genesis where no node is at hand. */
import { readFileSync } from 'node:fs';
import type { Rpc } from '../client/rpc.ts';
import { validUntilOf } from '../client/transaction.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { parseGenesis } from '../ledger/genesis-file.ts';
import { FaultError } from '../ledger/types/errors.ts';
import type { ChainId, Millis } from '../ledger/types/ids.ts';
import { unwrap } from './fault.ts';

export interface Facts {
  readonly chainId: ChainId;
  /** When a transaction that is written now ends to be valid, `validMs` from now. */
  validUntil(validMs?: number): Millis;
  /** Throws UNKNOWN_TOKEN. */
  decimalsOf(token: string): Promise<number>;
}

export async function factsOfNode(rpc: Rpc): Promise<Facts> {
  const status = unwrap(await rpc.call('chain_getStatus', {}));
  const headTime = Date.parse(status.time);
  return {
    chainId: status.chainId,
    validUntil: validMs => validUntilOf(headTime, Date.now(), validMs),
    async decimalsOf(token) {
      const known = await rpc.call('token_get', { token });
      if (!known.ok && known.error.code === 'NOT_FOUND') throw unknownToken(token, 'the ledger');
      return unwrap(known).decimals;
    },
  };
}

export function readGenesis(path: string): Genesis {
  return unwrap(parseGenesis(readFileSync(path)));
}

export function factsOfGenesis(path: string): Facts {
  const genesis = readGenesis(path);
  return {
    chainId: genesis.chainId,
    validUntil: validMs => validUntilOf(Date.now(), Date.now(), validMs),
    async decimalsOf(symbol) {
      const known = genesis.tokens.find(each => each.symbol === symbol);
      if (known === undefined) throw unknownToken(symbol, path);
      return known.decimals;
    },
  };
}

function unknownToken(token: string, where: string): FaultError {
  return new FaultError({
    code: 'UNKNOWN_TOKEN',
    message: `${where} knows no token ${token}`,
    hint: 'check the symbol, upper and lower case included; a token made after genesis is known to nodes alone',
    data: { token },
  });
}
