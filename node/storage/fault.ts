/** The faults of storage. Each stops the node: what was promised may not be kept, and nothing here repairs in silence. */
import { FaultError } from '../../ledger/types/errors.ts';

export const BLOCKS_FROM_PEERS =
  'stop the node, delete this directory and start again: the node keeps its votes and fetches the blocks from its peers';
const ALL_FROM_PEERS =
  'restore the data directory from a copy of this very node made after its last stop, or delete it and start again: the node ' +
  'fetches the blocks from its peers, and as a validator votes again only once a quorum has told it where the network stands';

/** The log does not say what it once said durably. */
export function logDamaged(path: string, offset: number, what: string): FaultError {
  return new FaultError({
    code: 'LOG_DAMAGED',
    message: `the log is damaged in ${path} at byte ${offset}: ${what}`,
    hint: ALL_FROM_PEERS,
    data: { path, offset },
  });
}

/** The database does not hold what it once held. `path` is the directory to delete. */
export function storeDamaged(path: string, what: string): FaultError {
  return new FaultError({
    code: 'STORE_DAMAGED',
    message: `the database in ${path} is damaged: ${what}`,
    hint: BLOCKS_FROM_PEERS,
    data: { path },
  });
}

export function wrongGenesis(path: string): FaultError {
  return new FaultError({
    code: 'WRONG_GENESIS',
    message: `${path} belongs to a network with another genesis`,
    hint: 'start with the genesis.json that this directory was made for, or with another data directory',
    data: { path },
  });
}

export function formatTooNew(path: string, version: number): FaultError {
  return new FaultError({
    code: 'FORMAT_TOO_NEW',
    message: `${path} was written in format ${version}, which this release does not know`,
    hint: 'run the release that wrote it, or a newer one',
    data: { path, version },
  });
}

/** A failed read or write of the operating system, under `code` unless the disk is full. */
export function diskFault(code: string, path: string, error: NodeJS.ErrnoException): FaultError {
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT' || error.code === 'EFBIG') {
    return new FaultError({
      code: 'DISK_FULL',
      message: `no space left to write ${path}`,
      hint: 'free space on the disk that holds the data directory, then start the node again',
      data: { path, cause: error.code },
    });
  }
  return new FaultError({
    code,
    message: `${path}: ${error.message}`,
    hint: 'check the disk and the rights on the data directory, then start the node again: it never goes on after such an error',
    data: { path, cause: error.code ?? error.name },
  });
}
