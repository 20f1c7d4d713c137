/** Every contender once a round, in turn, so that what else the machine does hits all of them; the first round is a warm-up. */
import type { Contender } from '../case.ts';
import { measure, type Measurement } from './measure.ts';

export interface Series {
  readonly name: string;
  /** One a round, without the warm-up. */
  readonly runs: readonly Measurement[];
}

export async function interleave(
  contenders: readonly Contender[],
  rounds: number,
  onRun: (name: string, round: number, run: Measurement) => void,
): Promise<readonly Series[]> {
  const series = contenders.map(({ name }) => ({ name, runs: [] as Measurement[] }));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, contender] of turned([...contenders.entries()], round)) {
      const run = await once(contender, round);
      onRun(contender.name, round, run);
      if (round > 0) series[index]?.runs.push(run);
    }
  }
  return series;
}

/** Each round begins with another one: who comes after whom matters for caches and for memory that is to be had. */
function turned<T>(all: readonly T[], round: number): readonly T[] {
  const first = round % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

async function once(contender: Contender, round: number): Promise<Measurement> {
  const task = await contender.task(round);
  try {
    const run = await measure(task);
    await task.check();
    return run;
  } finally {
    await task.tidy();
  }
}
