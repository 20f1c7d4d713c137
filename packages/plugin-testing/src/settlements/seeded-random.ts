/**
 * Random numbers that are the same on every machine for the same seed: sfc32, seeded by an FNV-1a hash of the seed's
 * text. Good enough for test data, for nothing else.
 */
export interface SeededRandom {
  /** Evenly spread over [0, 1). */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Characters of the alphabet, each as likely as the others. */
  text(length: number, alphabet: string): string;
  /** Around 0 with a standard deviation of 1. */
  normal(): number;
  /** How often something happens that happens `mean` times on average. */
  poisson(mean: number): number;
}

export function seededRandom(seed: string | number): SeededRandom {
  const next = sfc32(`${seed}`);
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    next,
    whole,
    normal,
    chance: (probability) => next() < probability,
    pick: (from) => from[whole(0, from.length - 1)] as (typeof from)[number],
    text: (length, alphabet) =>
      Array.from({ length }, () => alphabet.charAt(whole(0, alphabet.length - 1))).join(''),
    poisson: (mean) =>
      mean > 50 ? Math.max(0, Math.round(mean + Math.sqrt(mean) * normal())) : knuth(mean, next),
  };
}

function sfc32(seed: string): () => number {
  let [a, b, c, counter] = [fnv1a(`a${seed}`), fnv1a(`b${seed}`), fnv1a(`c${seed}`), 1];
  const step = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  // The state needs a few rounds before near seeds part.
  for (let round = 0; round < 12; round += 1) step();
  return step;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}

function knuth(mean: number, next: () => number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = next(); product > limit; product *= next()) count += 1;
  return count;
}
