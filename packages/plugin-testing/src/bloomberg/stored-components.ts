/** Universes, field lists and triggers that an account stores, to be named by its requests. */
import { randomBytes } from 'node:crypto';
import { collectionPage } from './collection.ts';
import { badBody, checkedComponent, detailOf, type Component } from './component-check.ts';
import { componentView } from './component-view.ts';
import { created } from './created.ts';
import type { RestAnswer, RestCall } from './rest-call.ts';
import { RestRefusal } from './rest-refusal.ts';

/** Which of the three it is: its segment in the path. */
export type ComponentKind = 'universes' | 'fieldLists' | 'triggers';

export const COMPONENT_TYPES: { readonly [kind in ComponentKind]: readonly string[] } = {
  universes: ['Universe'],
  fieldLists: ['DataFieldList', 'HistoryFieldList'],
  triggers: ['ScheduledTrigger', 'SubmitTrigger'],
};

export interface StoredComponent {
  readonly identifier: string;
  readonly body: Component;
  readonly issuedMs: number;
  readonly modifiedMs: number;
}

/** How a shelf learns what it cannot know itself. */
export interface ShelfContext {
  /** The path of the catalogue, such as `/eap/catalogs/1234`. */
  readonly path: string;
  readonly now: () => number;
  readonly strict: boolean;
  /** Whether an enabled recurring request names it. */
  readonly isUsed: (path: string) => boolean;
}

/** All of one kind. */
export class ComponentShelf {
  readonly #kind: ComponentKind;
  readonly #context: ShelfContext;
  readonly #stored = new Map<string, StoredComponent>();

  constructor(kind: ComponentKind, context: ShelfContext) {
    this.#kind = kind;
    this.#context = context;
  }

  pathOf(identifier: string): string {
    return `${this.#context.path}/${this.#kind}/${identifier}/`;
  }

  get(identifier: string): StoredComponent | undefined {
    return this.#stored.get(identifier);
  }

  list(call: RestCall): RestAnswer {
    const views = [...this.#stored.values()].map((one) => summaryOf(one));
    return collectionPage(views, call, { type: this.#kind });
  }

  one(identifier: string, call: RestCall): RestAnswer {
    const stored = this.#known(identifier);
    return componentView(stored.body, call, { ...summaryOf(stored), identifier });
  }

  /** @throws RestRefusal 400 for a wrong body, 409 when the identifier is taken */
  async create(call: RestCall): Promise<RestAnswer> {
    const types = COMPONENT_TYPES[this.#kind];
    const body = checkedComponent(await call.json(), types, '');
    for (const name of ['identifier', 'title'] as const) {
      if (this.#context.strict && body[name] === undefined) {
        throw badBody([detailOf(`/${name}`, 'This is required.')]);
      }
    }
    const identifier = body.identifier ?? `c${randomBytes(6).toString('hex')}`;
    if (this.#stored.has(identifier)) {
      throw new RestRefusal(409, `The identifier ${identifier} already exists.`);
    }
    const nowMs = this.#context.now();
    const component = { identifier, body, issuedMs: nowMs, modifiedMs: nowMs };
    this.#stored.set(identifier, component);
    return created(this.pathOf(identifier), WORDS[this.#kind], identifier);
  }

  /** Members that are given replace those that were there. @throws RestRefusal 400 */
  async change(identifier: string, call: RestCall): Promise<RestAnswer> {
    const stored = this.#known(identifier);
    if (this.#kind === 'triggers') this.#requireUnused(identifier);
    const { body } = stored;
    const changed = { ...body, ...(await call.json()), '@type': body['@type'], identifier };
    checkedComponent(changed, COMPONENT_TYPES[this.#kind], '');
    this.#stored.set(identifier, { ...stored, body: changed, modifiedMs: this.#context.now() });
    return { status: 204 };
  }

  remove(identifier: string): RestAnswer {
    this.#known(identifier);
    this.#requireUnused(identifier);
    this.#stored.delete(identifier);
    return { status: 204 };
  }

  #known(identifier: string): StoredComponent {
    const stored = this.#stored.get(identifier);
    if (stored !== undefined) return stored;
    throw new RestRefusal(404, `There is no ${WORDS[this.#kind]} ${identifier}.`);
  }

  #requireUnused(identifier: string): void {
    if (!this.#context.isUsed(this.pathOf(identifier))) return;
    throw new RestRefusal(400, `An active request uses the ${WORDS[this.#kind]} ${identifier}.`);
  }
}

const WORDS: { readonly [kind in ComponentKind]: string } = {
  universes: 'universe',
  fieldLists: 'fieldList',
  triggers: 'trigger',
};

/** As a collection shows it: without its content. */
function summaryOf({ identifier, body, issuedMs, modifiedMs }: StoredComponent): object {
  const { title, description } = body;
  return {
    '@type': body['@type'],
    '@id': `${identifier}/`,
    identifier,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    issued: new Date(issuedMs).toISOString(),
    modified: new Date(modifiedMs).toISOString(),
  };
}
