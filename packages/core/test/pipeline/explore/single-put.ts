/**
 * A model, not the code: what would happen if a small object were one conditional PUT instead of an upload of one part. A PUT
 * cannot be aborted; but a store refuses it when its signature is older than some minutes. So a takeover could wait for
 * that long before it lets a delivery go: then no PUT of an earlier attempt can make anything visible any more.
 *
 * Two attempts at one file. The first one signs, asks the ledger whether it is still the one, and sends; it may pause
 * anywhere. The second one takes over at any moment, looks, finds the file broken, and sets it aside.
 */
export interface PutRules {
  readonly order: 'sign, then ask' | 'ask, then sign';
  /** Whether the takeover lets the signature's time go by and looks again before it sets the file aside. */
  readonly waits: boolean;
  /** Whether the store looks at the signature when it makes the object visible, or only when the request begins. */
  readonly judges: 'the end' | 'the beginning';
}

interface State {
  readonly now: number;
  /** Of the first attempt: how far it is, and when it signed. */
  readonly first: 'begins' | 'signed' | 'asked' | 'ready' | 'sent' | 'stopped';
  readonly signedAt: number;
  readonly request: 'none' | 'on its way' | 'begun' | 'over';
  readonly second: 'absent' | 'looks' | 'waits' | 'looks again' | 'done';
  readonly takenAt: number;
  readonly visible: boolean;
  readonly ledger: 'open' | 'QUARANTINED' | 'COMMITTED';
}

type Step = readonly [what: string, next: State];

/** A signature is good for so many ticks. */
const GOOD_FOR = 2;
const LAST_TICK = 8;

const START: State = {
  now: 0,
  first: 'begins',
  signedAt: -1,
  request: 'none',
  second: 'absent',
  takenAt: -1,
  visible: false,
  ledger: 'open',
};

/** The shortest way to an object that is visible although the ledger says QUARANTINED; `undefined` when there is none. */
export function lieOf(rules: PutRules): readonly string[] | undefined {
  const queue: { readonly state: State; readonly trace: readonly string[] }[] = [
    { state: START, trace: [] },
  ];
  const seen = new Set<string>();
  for (const { state, trace } of queue) {
    if (state.visible && state.ledger === 'QUARANTINED') return trace;
    for (const [what, next] of [
      ...ofFirst(state, rules),
      ...ofStore(state, rules),
      ...ofSecond(state, rules),
      ...ofTime(state),
    ]) {
      const name = JSON.stringify(next);
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push({ state: next, trace: [...trace, what] });
    }
  }
  return undefined;
}

function* ofFirst(state: State, { order }: PutRules): Generator<Step> {
  const asksFirst = order === 'ask, then sign';
  const sign = (then: State['first']): Step => [
    'the first signs',
    { ...state, first: then, signedAt: state.now },
  ];
  const ask = (then: State['first']): Step =>
    state.takenAt >= 0
      ? ['the first hears that it was taken over', { ...state, first: 'stopped' }]
      : ['the first hears that it is the one', { ...state, first: then }];
  if (state.first === 'begins') yield asksFirst ? ask('asked') : sign('signed');
  if (state.first === 'signed') yield ask('ready');
  if (state.first === 'asked') yield sign('ready');
  if (state.first === 'ready')
    yield ['the first sends', { ...state, first: 'sent', request: 'on its way' }];
}

function* ofStore(state: State, { judges }: PutRules): Generator<Step> {
  const inTime = state.now <= state.signedAt + GOOD_FOR;
  if (state.request === 'on its way')
    yield inTime
      ? ['the request begins', { ...state, request: 'begun' }]
      : ['the request is refused', { ...state, request: 'over' }];
  if (state.request === 'begun' && (inTime || judges === 'the beginning'))
    yield ['the object is visible', { ...state, request: 'over', visible: true }];
  if (state.request === 'begun' && !inTime && judges === 'the end')
    yield ['the request is refused', { ...state, request: 'over' }];
}

function* ofSecond(state: State, { waits }: PutRules): Generator<Step> {
  const { second, now, takenAt, visible } = state;
  const look = (then: State['second']): Step =>
    visible
      ? ['the second finds it', { ...state, second: 'done', ledger: 'COMMITTED' }]
      : ['the second finds nothing', { ...state, second: then }];
  const setAside: Step = [
    'the second sets it aside',
    { ...state, second: 'done', ledger: 'QUARANTINED' },
  ];
  if (second === 'absent')
    yield ['the second takes over', { ...state, second: 'looks', takenAt: now }];
  if (second === 'looks') yield look('waits');
  if (second === 'waits' && !waits) yield setAside;
  if (second === 'waits' && waits && now > takenAt + GOOD_FOR) yield look('looks again');
  if (second === 'looks again') yield setAside;
}

function* ofTime(state: State): Generator<Step> {
  if (state.now < LAST_TICK) yield ['time goes by', { ...state, now: state.now + 1 }];
}
