/**
 * The part of JSON Schema 2020-12 in which a plugin describes its configuration. Every object schema must refuse
 * unknown properties (`additionalProperties: false`); the host checks that, too.
 *
 * `secret: true` on a string marks a value that no log, error or API answer may show.
 *
 * `access` on a string marks the path of a file or folder that the plugin itself opens, relative to the manifest's folder:
 * `read`; `write`, which includes reading; or `create` for a folder that is written and that the host makes, durably, when
 * it is missing. The process in which the plugin lives can open nothing else.
 */
export interface ConfigSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: { readonly [name: string]: ConfigSchema };
  readonly required?: readonly string[];
  readonly dependentRequired?: { readonly [name: string]: readonly string[] };
  readonly additionalProperties?: boolean | ConfigSchema;
  readonly items?: ConfigSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly oneOf?: readonly ConfigSchema[];
  readonly anyOf?: readonly ConfigSchema[];
  readonly not?: ConfigSchema;
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly multipleOf?: number;
  readonly secret?: boolean;
  readonly access?: 'read' | 'write' | 'create';
  readonly deprecated?: boolean;
}

type Named<S> = S extends { readonly properties: infer P } ? P : object;
type RequiredNames<S> = S extends { readonly required: readonly (infer R)[] } ? R : never;
type DefaultedNames<P> = {
  [K in keyof P]: P[K] extends { readonly default: unknown } ? K : never;
}[keyof P];
type PresentNames<S> = Extract<RequiredNames<S>, keyof Named<S>> | DefaultedNames<Named<S>>;
type Flat<T> = { [K in keyof T]: T[K] };

type ObjectOf<S> = Flat<
  { readonly [K in PresentNames<S>]: ConfigOf<Named<S>[K & keyof Named<S>]> } & {
    readonly [K in Exclude<keyof Named<S>, PresentNames<S>>]?: ConfigOf<Named<S>[K]>;
  }
>;

/** The TypeScript type of a configuration that satisfies schema `S`, with its defaults applied. */
export type ConfigOf<S> = S extends { readonly const: infer C }
  ? C
  : S extends { readonly enum: readonly (infer E)[] }
    ? E
    : S extends { readonly oneOf: readonly (infer U)[] }
      ? ConfigOf<U>
      : S extends { readonly anyOf: readonly (infer U)[] }
        ? S extends { readonly type: 'object' }
          ? ObjectOf<S>
          : ConfigOf<U>
        : S extends { readonly type: 'object' }
          ? ObjectOf<S>
          : S extends { readonly type: 'array'; readonly items: infer I }
            ? readonly ConfigOf<I>[]
            : S extends { readonly type: 'string' }
              ? string
              : S extends { readonly type: 'integer' | 'number' }
                ? number
                : S extends { readonly type: 'boolean' }
                  ? boolean
                  : S extends { readonly type: 'null' }
                    ? null
                    : unknown;
