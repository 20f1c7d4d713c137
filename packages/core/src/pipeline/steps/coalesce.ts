/**
 * The same bytes in chunks of at least `minBytes`, the last one apart. Small chunks cost the libraries behind more
 * than the copying here.
 */
export async function* coalesce(
  chunks: AsyncIterable<Uint8Array>,
  minBytes: number,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes < minBytes) continue;
    yield held.length === 1 ? chunk : Buffer.concat(held);
    held = [];
    heldBytes = 0;
  }
  if (heldBytes > 0) yield Buffer.concat(held);
}
