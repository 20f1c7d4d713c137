import type { Content, Step, StepContext } from './step.ts';

/** The contents that come out of all steps, one after the other. Each must be read before the next is asked for. */
export async function* throughSteps(
  source: Content,
  steps: readonly Step[],
  context: StepContext,
): AsyncGenerator<Content, void, undefined> {
  const [first, ...rest] = steps;
  if (first === undefined) {
    yield source;
    return;
  }
  for await (const content of first.run(source, context)) {
    yield* throughSteps(withMember(content, source.member), rest, context);
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
