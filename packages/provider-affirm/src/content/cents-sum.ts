/** A sum of cents that is exact however many there are: numbers as long as they are exact, beyond that BigInt. */
export class CentsSum {
  #recent = 0;
  #earlier = 0n;

  add(cents: number): void {
    this.#recent += cents;
    if (Math.abs(this.#recent) > 2 ** 52) {
      this.#earlier += BigInt(this.#recent);
      this.#recent = 0;
    }
  }

  total(): bigint {
    return this.#earlier + BigInt(this.#recent);
  }
}
