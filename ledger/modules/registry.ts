import { assert } from '../types/assert.ts';
import { membersModule } from './members/module.ts';
import type { AnyOperation, Module } from './operation.ts';
import { stakingModule } from './staking/module.ts';
import { supplyModule } from './supply/module.ts';
import { tokensModule } from './tokens/module.ts';
import { validatorsModule } from './validators/module.ts';

/** Every module of the ledger. A new one is a folder and a line here. */
export const modules: readonly Module[] = [membersModule, validatorsModule, tokensModule, stakingModule, supplyModule];

const operations = new Map<string, AnyOperation>();
for (const each of modules.flatMap(module => module.operations)) {
  assert(!operations.has(each.kind), `two operations are called ${each.kind}`);
  operations.set(each.kind, each);
}

/** The operation of that written name; null: there is none. */
export const operationOf = (kind: string): AnyOperation | null => operations.get(kind) ?? null;
