import type { PluginErrorType } from '@octo/plugin-api';

/** What Bloomberg says about one security of a request. */
export interface ReturnCode {
  readonly meaning: string;
  /**
   * How the host would class it; `undefined` for success. `auth` is a matter of the licence, `provider_down` is worth
   * another request.
   */
  readonly type: PluginErrorType | undefined;
}

const RETURN_CODES: ReadonlyMap<number, ReturnCode> = new Map([
  [0, { meaning: 'ok', type: undefined }],
  [9, { meaning: 'asset class not supported by BVAL', type: 'validation' }],
  [10, { meaning: 'security not found', type: 'validation' }],
  [11, { meaning: 'security restricted for this account', type: 'auth' }],
  [123, { meaning: 'no PRPL entitlement', type: 'auth' }],
  [605, { meaning: 'bad macro', type: 'validation' }],
  [988, { meaning: "system error on Bloomberg's side", type: 'provider_down' }],
  [989, { meaning: 'unknown pricing source', type: 'validation' }],
  [990, { meaning: "system error on Bloomberg's side", type: 'provider_down' }],
  [991, { meaning: 'bad override value, or too many', type: 'validation' }],
  [992, { meaning: 'unknown override field', type: 'validation' }],
  [993, { meaning: 'too many overrides', type: 'validation' }],
  [994, { meaning: 'no permission', type: 'auth' }],
  [995, { meaning: 'too many fields', type: 'validation' }],
  [996, { meaning: 'too many data points; split the request', type: 'validation' }],
  [997, { meaning: 'override error', type: 'validation' }],
  [998, { meaning: 'unknown identifier type', type: 'validation' }],
  [999, { meaning: 'security cannot be loaded', type: 'validation' }],
  [-10, { meaning: 'start date after end date', type: 'validation' }],
  [-12, { meaning: 'field not available', type: 'validation' }],
  [-13, { meaning: 'field not applicable to this security', type: 'validation' }],
  [-14, { meaning: 'field not supported by gethistory', type: 'validation' }],
] as const);

/** What `code` means; a code that is not in Bloomberg's table is `unknown`, of type `validation`. */
export function returnCode(code: number): ReturnCode {
  return RETURN_CODES.get(code) ?? { meaning: 'unknown', type: 'validation' };
}
