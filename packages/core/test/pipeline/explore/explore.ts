import type { Action, Worker } from './worker.ts';

/** A small world whose every order of events is tried. */
export interface World extends AsyncDisposable {
  /** Processes that are running, or were. */
  readonly workers: readonly Worker[];
  /** What may happen besides the processes' own steps, each at most once: a late request arrives, a file is re-issued. */
  events(): readonly { readonly label: string; readonly happen: () => Promise<void> }[];
  /** What must hold at every moment. @throws when it does not */
  checkAlways(): void;
  /** Lets clean runs finish everything, then says what must hold in the end. @throws when it does not */
  checkFinally(): Promise<void>;
}

export interface Bounds {
  readonly faults: number;
  /** How often another process may get its turn although the current one could go on. */
  readonly switches: number;
  readonly executions: number;
}

export interface Exploration {
  readonly executions: number;
  readonly steps: number;
  /** Whether everything within the bounds was tried. */
  readonly complete: boolean;
  /** How often each kind of fault was tried: a bound that is never used proves nothing. */
  readonly tried: ReadonlyMap<string, number>;
  readonly violation: { readonly message: string; readonly trace: readonly string[] } | undefined;
}

interface Option {
  readonly label: string;
  readonly faults: number;
  readonly switches: number;
  readonly take: () => Promise<void>;
}

/** Runs the world through every order of steps and faults within the bounds, until one breaks what must hold. */
export async function explore(open: () => Promise<World>, bounds: Bounds): Promise<Exploration> {
  const tried = new Map<string, number>();
  let path: number[] = [];
  let executions = 0;
  let steps = 0;
  for (; executions < bounds.executions; executions++) {
    const run = await execute(open, path, bounds, tried);
    steps += run.widths.length;
    if (run.violation !== undefined)
      return {
        executions: executions + 1,
        steps,
        complete: false,
        tried,
        violation: run.violation,
      };
    const next = nextPath(run.taken, run.widths);
    if (next === undefined)
      return { executions: executions + 1, steps, complete: true, tried, violation: undefined };
    path = next;
  }
  return { executions, steps, complete: false, tried, violation: undefined };
}

async function execute(
  open: () => Promise<World>,
  path: readonly number[],
  bounds: Bounds,
  tried: Map<string, number>,
): Promise<{ taken: number[]; widths: number[]; violation: Exploration['violation'] }> {
  const taken: number[] = [];
  const widths: number[] = [];
  const trace: string[] = [];
  let left = { faults: bounds.faults, switches: bounds.switches };
  let current: Worker | undefined;
  await using world = await open();
  try {
    for (;;) {
      for (const worker of world.workers) await worker.settled();
      world.checkAlways();
      const options = optionsOf(world, current, left, (worker) => (current = worker));
      if (options.length === 0) break;
      const choice = path[taken.length] ?? 0;
      const option = options[choice]!;
      taken.push(choice);
      widths.push(options.length);
      trace.push(option.label);
      if (option.faults > 0)
        tried.set(kindOf(option.label), (tried.get(kindOf(option.label)) ?? 0) + 1);
      left = { faults: left.faults - option.faults, switches: left.switches - option.switches };
      await option.take();
    }
    await world.checkFinally();
    return { taken, widths, violation: undefined };
  } catch (error) {
    return { taken, widths, violation: { message: (error as Error).message, trace } };
  }
}

function optionsOf(
  world: World,
  current: Worker | undefined,
  left: { readonly faults: number; readonly switches: number },
  choose: (worker: Worker) => void,
): Option[] {
  const waiting = world.workers.filter((worker) => worker.pending !== undefined && !worker.crashed);
  if (waiting.length === 0) return [];
  const mayGoOn = current !== undefined && waiting.includes(current);
  const first = mayGoOn ? current : waiting[0]!;
  const options: Option[] = [step(first, 'go', 0, 0, choose)];
  for (const worker of waiting)
    if (worker !== first) options.push(step(worker, 'go', 0, mayGoOn ? 1 : 0, choose));
  for (const action of first.pending!.actions)
    if (action !== 'go') options.push(step(first, action, 1, 0, choose));
  for (const { label, happen } of world.events())
    options.push({ label, faults: 1, switches: 0, take: happen });
  return options.filter(
    ({ faults, switches }) => faults <= left.faults && switches <= left.switches,
  );
}

function step(
  worker: Worker,
  action: Action,
  faults: number,
  switches: number,
  choose: (worker: Worker) => void,
): Option {
  const { label, decide } = worker.pending!;
  return {
    label: `${worker.name} ${label}${action === 'go' ? '' : ` [${action}]`}`,
    faults,
    switches,
    take: async () => {
      choose(worker);
      decide(action);
      await Promise.resolve();
    },
  };
}

function kindOf(label: string): string {
  return /\[(.+)\]$/.exec(label)?.[1] ?? label;
}

/** The next path in depth-first order: the last choice that had an alternative takes it. */
function nextPath(taken: readonly number[], widths: readonly number[]): number[] | undefined {
  for (let at = taken.length - 1; at >= 0; at--) {
    if (taken[at]! + 1 < widths[at]!) return [...taken.slice(0, at), taken[at]! + 1];
  }
  return undefined;
}
