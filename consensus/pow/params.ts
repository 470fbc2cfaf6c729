/** What a proof-of-work network takes from genesis: the times that all engines have, and parameters of its own. */
import { WORK_PARAMS, type WorkParams, workParams } from '../../ledger/types/work/params.ts';
import type { OwnParamRule, OwnParams, Params } from '../core.ts';

export const OWN_PARAMS = WORK_PARAMS satisfies Readonly<Record<string, OwnParamRule>>;

export interface PowParams extends Params, WorkParams {}

export const powParams = (params: Params, own: OwnParams = {}): PowParams => ({
  ...params,
  ...workParams(params.viewTimeoutMs, own),
});
