import type { EgressRules } from './egress-rules.ts';

/** Different refusals that are told; whoever tries a thousand addresses is known by then. */
const MOST_TOLD = 100;

/**
 * The same rules, where each refusal is told once, in its words: a plugin that swallows what it is told, or goes on to try other
 * places, is seen by the operator all the same.
 */
export function toldRules(rules: EgressRules, tell: (reason: string) => void): EgressRules {
  const told = new Set<string>();
  const through = <T>(check: () => T): T => {
    try {
      return check();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!told.has(reason) && told.size < MOST_TOLD) {
        told.add(reason);
        tell(reason);
      }
      throw error;
    }
  };
  return {
    check: (...args) => through(() => rules.check(...args)),
    checkName: (...args) => through(() => rules.checkName(...args)),
    checkPath: (...args) => through(() => rules.checkPath(...args)),
    hasName: (name) => rules.hasName(name),
  };
}
