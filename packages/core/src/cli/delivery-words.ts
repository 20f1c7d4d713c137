import type { Delivery, DeliveryState } from '../ledger/delivery.ts';
import type { Meaning } from './paint.ts';
import { UsageError } from './usage-error.ts';

/** The ledger's states in the words that people use for them. */
const words = {
  delivered: ['COMMITTED', 'CLEANED'],
  quarantined: ['QUARANTINED'],
  duplicate: ['DUPLICATE_OF'],
  superseded: ['SUPERSEDED'],
  open: ['DISCOVERED', 'CLAIMED', 'STREAMING', 'VERIFIED', 'WAITING'],
} as const satisfies Record<string, readonly DeliveryState[]>;

type Word = keyof typeof words;

const meanings: Readonly<Record<Word, Meaning>> = {
  delivered: 'good',
  quarantined: 'bad',
  duplicate: 'minor',
  superseded: 'minor',
  open: 'doubtful',
};

/** `delivered`, `quarantined`, …; an open delivery keeps its exact state, such as `streaming`. */
export function stateWord({ state }: Pick<Delivery, 'state'>): string {
  const word = wordOf(state);
  return word === 'open' ? state.toLowerCase() : word;
}

export function stateMeaning({ state }: Pick<Delivery, 'state'>): Meaning {
  return meanings[wordOf(state)];
}

/**
 * The states that a list such as `quarantined,open` names; the ledger's own names are understood, too.
 * @throws UsageError for a word that is neither
 */
export function statesOf(list: string): DeliveryState[] {
  return list.split(',').flatMap((part) => {
    const word = part.trim();
    if (isWord(word.toLowerCase())) return [...words[word.toLowerCase() as Word]];
    const exact = Object.values(words)
      .flat()
      .find((state) => state === word.toUpperCase());
    if (exact !== undefined) return [exact];
    throw new UsageError(
      `there is no state '${word}'; there are ${Object.keys(words).join(', ')}`,
      'octo-host files --help',
    );
  });
}

function isWord(text: string): text is Word {
  return Object.hasOwn(words, text);
}

function wordOf(state: DeliveryState): Word {
  const found = Object.entries(words).find(([, states]) => states.some((s) => s === state));
  return (found?.[0] ?? 'open') as Word;
}
