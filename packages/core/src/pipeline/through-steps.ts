import type { Content, Step, StepContext } from './step.ts';
import type { StepWatch } from './step-watch.ts';

/** The contents that come out of all steps, one after the other. Each must be read before the next is asked for. */
export async function* throughSteps(
  source: Content,
  steps: readonly Step[],
  context: StepContext,
  watch: StepWatch,
  place = 0,
): AsyncGenerator<Content, void, undefined> {
  const step = steps[place];
  if (step === undefined) {
    yield source;
    return;
  }
  for await (const content of watch.contents(place, step.run(source, context))) {
    yield* throughSteps(withMember(content, source.member), steps, context, watch, place + 1);
  }
}

/** The name of a file after all steps, from the name alone. */
export function nameAfter(steps: readonly Step[], name: string): string {
  return steps.reduce((current, step) => step.rename(current), name);
}

/** Whether one of the steps proves that nothing of a file of this name is missing or changed. */
export function proveIntegrity(steps: readonly Step[], name: string): boolean {
  const [first, ...rest] = steps;
  if (first === undefined) return false;
  return first.provesIntegrity(name) || proveIntegrity(rest, first.rename(name));
}

function withMember(content: Content, member: string | undefined): Content {
  return content.member !== undefined || member === undefined ? content : { ...content, member };
}
