/** PostgreSQL's text and jsonb hold neither NUL nor lone surrogates; a vendor's names may. Both become U+FFFD. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}

/** The same for whole facts. Values that JSON cannot hold are dropped, as `JSON.stringify` does. */
export function storableJson(facts: { readonly [name: string]: unknown }): string {
  return JSON.stringify(facts, (_, value: unknown) => {
    if (typeof value === 'string') return storableText(value);
    return typeof value === 'bigint' ? String(value) : value;
  });
}
