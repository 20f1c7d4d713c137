import type { Lifecycle } from './lifecycle.ts';

/**
 * A store that keeps secrets for others: AWS Secrets Manager, Vault. The manifest names them as
 * `${secret:<instance>/<name>}`; the host asks for each whenever it reads the manifest, and again every few minutes.
 *
 * Its own configuration may name variables, files and the host's own store, but no other store like it.
 * `secretsSuite` of `@octo/plugin-testing` holds a store to all of it.
 */
export interface SecretStore extends Lifecycle {
  /**
   * The value of a secret as it is now: text, at most 64 Ki characters. Never from a memory of its own: the host remembers.
   * Several may be asked for at the same time.
   * @param name whatever stands after the first `/` of the reference; may hold slashes
   * @throws PluginError `not_found` there is no such secret; `auth` it is there, or may be, and is not given to us;
   *   `validation` the name, or what is there, can be no secret; `network`, `provider_down`, `rate_limit` the store does not
   *   answer now: the host goes on with what it knows. No message holds a value
   */
  get(name: string, signal: AbortSignal): Promise<string>;
}
