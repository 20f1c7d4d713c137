// tsyringe asks for it when it is imported; nothing else in the host does.
import 'reflect-metadata';
import type { Token, Wanted } from '@octo/plugin-api';
import { container, type DependencyContainer } from 'tsyringe';
import { OctoError } from '../errors/octo-error.ts';
import { listOf } from '../manifest/suggest.ts';

/**
 * The services that one instance can ask for, by token. A tsyringe container holds ready values only: what lives is
 * closed by the host's own list, because the container would close it in no order, or not at all.
 */
export class Services {
  readonly #container: DependencyContainer = container.createChildContainer();
  readonly #ids = new Set<string>();

  /** @throws OctoError `OCTO_TOKEN_TWICE`: tsyringe would let the last one win without a word */
  register<T>(token: Token<T>, service: T): this {
    if (this.#ids.has(token.id)) {
      throw new OctoError('OCTO_TOKEN_TWICE', `the service '${token.id}' is registered twice`);
    }
    this.#ids.add(token.id);
    this.#container.register<T>(token.id, { useValue: service });
    return this;
  }

  /**
   * The services that a plugin wants, under its own names.
   * @throws OctoError `OCTO_TOKEN_UNKNOWN`
   */
  give(plugin: string, wanted: Wanted): Record<string, unknown> {
    const given: Record<string, unknown> = {};
    for (const [name, token] of Object.entries(wanted)) {
      const id = tokenId(token);
      if (RESERVED.includes(name)) {
        const message = `${plugin} wants a service under the name '${name}', which the host itself uses; choose another`;
        throw new OctoError('OCTO_TOKEN_UNKNOWN', message);
      }
      if (!this.#ids.has(id)) {
        const message = `${plugin} wants the service '${id}' as '${name}'; this host has ${listOf(this.#ids)}`;
        throw new OctoError('OCTO_TOKEN_UNKNOWN', message);
      }
      given[name] = this.#container.resolve(id);
    }
    return given;
  }
}

/** What `create` is given anyway. `logger` may also be asked for: it is the same. */
const RESERVED = ['id', 'config', 'baseFolder'];

function tokenId(token: Token<unknown> | undefined): string {
  return typeof token?.id === 'string' ? token.id : 'without an id';
}
