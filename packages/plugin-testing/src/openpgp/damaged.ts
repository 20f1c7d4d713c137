/** `message` with the bits of `mask` turned over in the byte at `position`. */
export function tamperedAt(message: Uint8Array, position: number, mask = 0x01): Uint8Array {
  const copy = Uint8Array.from(message);
  copy[position] = (copy[position] ?? 0) ^ mask;
  return copy;
}

/** `count` positions spread evenly over `message`, its first and last byte included. */
export function positionsIn(message: Uint8Array, count: number): readonly number[] {
  const step = (message.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => Math.round(index * step));
}
