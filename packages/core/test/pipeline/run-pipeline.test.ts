import { createHash } from 'node:crypto';
import { PluginError } from '@octo/plugin-api';
import { MemorySink } from '@octo/plugin-testing';
import { describe, expect, test } from 'vitest';
import type { Step } from '../../src/pipeline/step.ts';
import { defaultConfig, PipelineBench } from './pipeline-bench.ts';
import { makeStep } from './steps/step-harness.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A step that reverses nothing and proves nothing, but may object at the end. */
function objecting(error: () => Error | undefined): Step {
  return {
    name: 'objecting',
    rename: (name) => name,
    provesIntegrity: () => false,
    async *run(content) {
      yield content;
      const found = error();
      if (found !== undefined) throw found;
    },
  };
}

describe('a run', () => {
  test('delivers every file once, byte for byte, and says so', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'small');
    bench.vendor.publish('b.csv', 'larger than what is held in memory');
    const report = await bench.run();
    expect(bench.visible()).toEqual({
      'in/a.csv': 'small',
      'in/b.csv': 'larger than what is held in memory',
    });
    expect(report).toMatchObject({ pipeline: 'feed', discovered: 2, failed: [], quarantined: [] });
    expect(report.delivered.toSorted((a, b) => (a.path < b.path ? -1 : 1))[0]).toEqual({
      path: 'a.csv',
      key: 'in/a.csv',
      bytes: 5,
      sha256: sha256('small'),
    });
  });

  test('waits before each request to a vendor that may be asked only so often', async () => {
    await using bench = await PipelineBench.open();
    for (const name of ['a.csv', 'b.csv', 'c.csv']) bench.vendor.publish(name, name);
    let requests = 0;
    const began = bench.clock.monotonic();
    const pace = async () => ++requests * 60_000;
    expect((await bench.run({ pace })).delivered).toHaveLength(3);
    // To connect, to list, to open each; whether it asks more than that is its own business.
    expect(requests).toBeGreaterThanOrEqual(5);
    expect(bench.clock.monotonic() - began).toBeGreaterThanOrEqual(requests * 60_000);
  });

  test('delivers nothing new the second time', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'once');
    await bench.run();
    const again = await bench.run();
    expect(again).toMatchObject({ discovered: 1, delivered: [], duplicates: [], pending: [] });
    expect(Object.keys(bench.visible())).toEqual(['in/a.csv']);
  });

  test('finds nothing in an empty inbox, and that is well', async () => {
    await using bench = await PipelineBench.open();
    expect(await bench.run()).toMatchObject({ discovered: 0, delivered: [], failed: [] });
  });

  test('delivers a re-issued file beside the first version', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'first', 1000);
    await bench.run();
    bench.vendor.publish('a.csv', 'second', 2000);
    await bench.run();
    expect(bench.visible()).toEqual({ 'in/a.csv': 'first', 'in/a~2.csv': 'second' });
  });

  test('says of the same content under the same name that it is a duplicate', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'same', 1000);
    await bench.run();
    bench.vendor.publish('a.csv', 'same', 2000);
    const report = await bench.run();
    expect(report.duplicates).toMatchObject([{ path: 'a.csv' }]);
    expect(bench.visible()).toEqual({ 'in/a.csv': 'same' });
  });

  test('delivers the same content under another name, unless the pipeline says otherwise', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('monday.csv', 'no data');
    bench.vendor.publish('tuesday.csv', 'no data');
    await bench.run();
    expect(Object.keys(bench.visible())).toEqual(['in/monday.csv', 'in/tuesday.csv']);
  });

  test('delivers the same content at two paths once with duplicates: pipeline', async () => {
    await using bench = await PipelineBench.open({ duplicates: 'pipeline' });
    bench.vendor.publish('monday.csv', 'no data');
    bench.vendor.publish('tuesday.csv', 'no data');
    const report = await bench.run();
    expect(report.delivered).toHaveLength(1);
    expect(report.duplicates).toHaveLength(1);
    expect(Object.keys(bench.visible())).toHaveLength(1);
  });

  test('delivers the same content again and again with duplicates: off', async () => {
    await using bench = await PipelineBench.open({ duplicates: 'off' });
    bench.vendor.publish('a.csv', 'same', 1000);
    await bench.run();
    bench.vendor.publish('a.csv', 'same', 2000);
    await bench.run();
    expect(bench.visible()).toEqual({ 'in/a.csv': 'same', 'in/a~2.csv': 'same' });
  });

  test('replaces the object with onReissue: overwrite', async () => {
    await using bench = await PipelineBench.open({ onReissue: 'overwrite' });
    bench.vendor.publish('a.csv', 'first', 1000);
    await bench.run();
    bench.vendor.publish('a.csv', 'second and longer', 2000);
    const report = await bench.run();
    expect(report.delivered).toMatchObject([{ key: 'in/a.csv' }]);
    expect(bench.visible()).toEqual({ 'in/a.csv': 'second and longer' });
    const [second, first] = await bench.ledger.list({ limit: 9 });
    expect([second?.state, first?.state]).toEqual(['CLEANED', 'SUPERSEDED']);
  });

  test('sets a re-issue aside with onReissue: quarantine', async () => {
    await using bench = await PipelineBench.open({ onReissue: 'quarantine' });
    bench.vendor.publish('a.csv', 'first', 1000);
    await bench.run();
    bench.vendor.publish('a.csv', 'second', 2000);
    const report = await bench.run();
    expect(report.quarantined).toMatchObject([{ path: 'a.csv', reason: /^REISSUE: / }]);
    expect(bench.visible()).toEqual({ 'in/a.csv': 'first' });
  });

  test('never touches what somebody else put at the key', async () => {
    await using bench = await PipelineBench.open();
    bench.sink.memory.placeForeign('in/a.csv', Buffer.from('not ours'));
    bench.vendor.publish('a.csv', 'ours');
    await bench.run();
    expect(bench.visible()).toEqual({ 'in/a.csv': 'not ours', 'in/a~2.csv': 'ours' });
  });

  test('sets an empty file aside, unless the pipeline accepts it', async () => {
    await using strict = await PipelineBench.open();
    strict.vendor.publish('a.csv', '');
    expect((await strict.run()).quarantined).toMatchObject([{ reason: /^EMPTY_FILE: / }]);
    await using open = await PipelineBench.open({ emptyFiles: 'deliver' });
    open.vendor.publish('a.csv', '', 1000);
    open.vendor.publish('b.csv', '', 1000);
    await open.run();
    expect(open.visible()).toEqual({ 'in/a.csv': '', 'in/b.csv': '' });
  });

  test('never opens what the provider refuses, and says why once', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a\u0007.csv', 'x');
    bench.vendor.refused.set('a\u0007.csv', 'UNSAFE_NAME: it has control characters');
    bench.vendor.onChunk = () => {
      throw new Error('it was opened');
    };
    expect((await bench.run()).quarantined).toMatchObject([{ reason: /^UNSAFE_NAME: / }]);
    expect((await bench.run()).quarantined).toEqual([]);
    expect(bench.visible()).toEqual({});
  });

  test('leaves a file alone whose key cannot be made, and says which word is missing', async () => {
    await using bench = await PipelineBench.open({ key: '{region}/{name}' });
    bench.vendor.publish('a.csv', 'x');
    const report = await bench.run();
    expect(report.failed).toMatchObject([{ path: 'a.csv', error: /names \{region\}/ }]);
  });
});

describe('a file that is still growing', () => {
  test('is waited for, and delivered when it has stayed the same', async () => {
    await using bench = await PipelineBench.open({ settleMs: 60_000 });
    bench.vendor.publish('a.csv', 'complete');
    const report = await bench.run();
    expect(bench.events).toContainEqual(expect.objectContaining({ event: 'waiting' }));
    expect(report.delivered).toHaveLength(1);
  });

  test('holds no later run up once it was delivered', async () => {
    await using bench = await PipelineBench.open({ settleMs: 60_000 });
    bench.vendor.publish('a.csv', 'complete');
    await bench.run();
    bench.events.length = 0;
    await bench.run();
    expect(bench.events.map(({ event }) => event)).not.toContain('waiting');
  });

  test('is left for a later run when it grew meanwhile', async () => {
    await using bench = await PipelineBench.open({ settleMs: 60_000 });
    bench.vendor.publish('a.csv', 'half', 1000);
    const running = bench.start();
    await bench.untilEvent('waiting');
    bench.vendor.publish('a.csv', 'half and more', 2000);
    const report = await bench.drive(running);
    expect(report).toMatchObject({ delivered: [], pending: [{ path: 'a.csv' }] });
    expect((await bench.run()).delivered).toMatchObject([{ bytes: 13 }]);
  });

  test('is not delivered in the version that was replaced while it was read', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'old old old old', 1000);
    bench.vendor.onChunk = (_file, offset) => {
      if (offset === 8) bench.vendor.publish('a.csv', 'new new new new', 2000);
    };
    const report = await bench.run();
    expect(report.delivered).toEqual([]);
    expect(bench.visible()).toEqual({});
    bench.vendor.onChunk = () => {};
    await bench.run();
    expect(bench.visible()).toEqual({ 'in/a.csv': 'new new new new' });
  });

  test('that is torn under the same size and time is found by reading twice', async () => {
    await using bench = await PipelineBench.open({ doubleRead: 'auto' });
    bench.vendor.publish('a.csv', 'old old old old', 1000);
    let reads = 0;
    bench.vendor.onChunk = (_file, offset) => {
      if (offset === 0) reads++;
      if (offset === 8 && reads === 1) bench.vendor.publish('a.csv', 'new new new new', 1000);
    };
    await bench.run();
    expect(bench.visible()).toEqual({ 'in/a.csv': 'new new new new' });
  });
});

test('a file that is read twice makes progress in both readings, and is through after the second', async () => {
  await using bench = await PipelineBench.open({ doubleRead: true });
  bench.vendor.publish('a.csv', 'twelve bytes');
  await bench.run();
  const read = bench.events.flatMap((said) => (said.event === 'read' ? [said.bytes] : []));
  expect(read.length).toBe(6);
  expect(read.reduce((sum, bytes) => sum + bytes)).toBe(12);
});

test('a file that a step proves whole is read once', async () => {
  await using bench = await PipelineBench.open({ doubleRead: 'auto' });
  bench.steps = [{ ...objecting(() => undefined), provesIntegrity: (name) => name === 'proved' }];
  const opened: string[] = [];
  bench.vendor.onChunk = ({ name }, offset) => void (offset === 0 && opened.push(name));
  bench.vendor.publish('proved', 'content');
  bench.vendor.publish('plain', 'content');
  await bench.run();
  expect(opened.toSorted()).toEqual(['plain', 'plain', 'proved']);
});

describe('a vendor in trouble', () => {
  test('that drops the connection in the middle is asked for the rest', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'a file of more than one chunk');
    const offsets: number[] = [];
    bench.vendor.onChunk = (_file, offset) => {
      offsets.push(offset);
      if (offset === 12 && offsets.filter((o) => o === 12).length === 1)
        throw new PluginError('network', 'connection reset');
    };
    await bench.run();
    expect(bench.visible()).toEqual({ 'in/a.csv': 'a file of more than one chunk' });
    expect(offsets.filter((offset) => offset === 0)).toHaveLength(1);
    expect(bench.vendor.connects).toBe(2);
  });

  test('that drops everybody at one file has only that file fail', async () => {
    await using bench = await PipelineBench.open({ concurrency: 4 });
    for (const name of ['a', 'b', 'c']) bench.vendor.publish(name, `content of ${name}`);
    bench.vendor.publish('fatal', 'breaks every connection that it is read on');
    const breaks: string[] = [];
    const sees = (count: number) => breaks.length === count;
    bench.vendor.onChunk = async (file, offset) => {
      const before = breaks.length;
      if (file.path === 'fatal' && offset === 8) breaks.push(file.path);
      else for (let turn = 0; turn < 20 && sees(before); turn++) await Promise.resolve();
      if (!sees(before)) throw new PluginError('network', 'connection reset');
    };
    const report = await bench.run();
    expect(report.failed).toMatchObject([{ path: 'fatal' }]);
    expect(report.delivered).toHaveLength(3);
  });

  test('that stays away costs the file nothing but time', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'later');
    bench.vendor.onChunk = () => {
      throw new PluginError('network', 'connection reset');
    };
    const report = await bench.run();
    expect(report.failed).toMatchObject([{ path: 'a.csv', unreachable: true }]);
    expect(bench.sink.memory.uploads()).toEqual([]);
    bench.vendor.onChunk = () => {};
    await bench.run();
    expect(bench.visible()).toEqual({ 'in/a.csv': 'later' });
  });

  test('that cannot be reached at all ends the run with its error', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.onConnect = () => {
      throw new PluginError('network', 'connection refused');
    };
    await expect(bench.run()).rejects.toMatchObject({ type: 'network' });
    expect(bench.vendor.connects).toBe(4);
  });

  test('that refuses the password is asked once', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.onConnect = () => {
      throw new PluginError('auth', 'password refused');
    };
    await expect(bench.run()).rejects.toMatchObject({ type: 'auth' });
    expect(bench.vendor.connects).toBe(1);
  });

  test('that ends a file early twice has it set aside', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'all of it, really all of it');
    bench.steps = [
      objecting(() => new PluginError('integrity', 'ended after 9 bytes', { code: 'TRUNCATED' })),
    ];
    const report = await bench.run();
    expect(report.quarantined).toMatchObject([{ reason: /^TRUNCATED: / }]);
    expect(bench.events.filter(({ event }) => event === 'retrying')).toHaveLength(1);
    expect(bench.visible()).toEqual({});
    expect(bench.sink.memory.uploads()).toEqual([]);
  });

  test('that moves nothing loses nothing: the file goes to its archive only after the commit', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.afterCommit = 'move';
    bench.vendor.publish('a.csv', 'content');
    await bench.run();
    expect([...bench.vendor.files.keys()]).toEqual([
      expect.stringMatching(/^archive\/a\.csv\.[0-9a-f]{64}$/),
    ]);
    expect(await bench.run()).toMatchObject({ discovered: 0, delivered: [] });
  });

  test('whose next version was moved to the archive by mistake has it delivered from there', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.afterCommit = 'move';
    bench.vendor.publish('a.csv', 'first', 1000);
    await bench.run();
    const [archived] = bench.vendor.files.keys();
    bench.vendor.publish(archived!, 'second', 2000);
    await bench.run();
    expect(bench.visible()).toEqual({ 'in/a.csv': 'first', 'in/a~2.csv': 'second' });
  });
});

describe('a file that is wrong', () => {
  test('is set aside with its reason, and nothing of it is visible', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('bad.csv', 'a tampered file of some length');
    bench.vendor.publish('good.csv', 'a good file of some length');
    bench.steps = [
      {
        ...objecting(() => undefined),
        async *run(content) {
          yield content;
          if (content.name === 'bad.csv')
            throw new PluginError('integrity', 'it was changed', { code: 'DECRYPT_FAILED' });
        },
      },
    ];
    const report = await bench.run();
    expect(report.quarantined).toEqual([
      { path: 'bad.csv', reason: 'DECRYPT_FAILED: it was changed' },
    ]);
    expect(bench.visible()).toEqual({ 'in/good.csv': 'a good file of some length' });
    expect(bench.sink.memory.uploads()).toEqual([]);
  });

  test('stays set aside until somebody releases it', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'content');
    let wrong = true;
    bench.steps = [objecting(() => (wrong ? new PluginError('integrity', 'wrong') : undefined))];
    await bench.run();
    wrong = false;
    expect((await bench.run()).delivered).toEqual([]);
    const [delivery] = await bench.ledger.list({ limit: 1 });
    expect(await bench.ledger.release(delivery!.id)).toBe(true);
    expect((await bench.run()).delivered).toHaveLength(1);
  });

  test('with too much in it is stopped at the limit', async () => {
    await using bench = await PipelineBench.open();
    bench.config = { ...bench.config, limits: { ...bench.config.limits, maxBytes: 10 } };
    bench.vendor.publish('a.csv', 'eleven bytes and more');
    expect((await bench.run()).quarantined).toMatchObject([{ reason: /^LIMIT: / }]);
  });

  test('for want of a key waits for the key and is not set aside', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'content');
    let missing = true;
    bench.steps = [
      objecting(() =>
        missing ? new PluginError('validation', 'no key', { code: 'KEY_UNAVAILABLE' }) : undefined,
      ),
    ];
    expect((await bench.run()).failed).toEqual([
      { path: 'a.csv', error: 'KEY_UNAVAILABLE: no key', unreachable: false },
    ]);
    missing = false;
    expect((await bench.run()).delivered).toHaveLength(1);
  });
});

describe('a sink in trouble', () => {
  test.each([
    { applied: true, sends: 1 },
    { applied: false, sends: 2 },
  ])(
    'whose answer to the commit is lost (applied: $applied) shows one object',
    async ({ applied, sends }) => {
      await using bench = await PipelineBench.open();
      bench.vendor.publish('a.csv', 'content that is streamed');
      bench.sink.fail('commit', 1, { kind: 'answer lost', applied });
      const report = await bench.run();
      expect(report.delivered).toHaveLength(1);
      expect(bench.visible()).toEqual({ 'in/a.csv': 'content that is streamed' });
      expect(bench.sink.calls.filter(({ verb }) => verb === 'commit')).toHaveLength(sends);
    },
  );

  test('that lost the upload gets another one, from another reading', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'content that is streamed');
    bench.sink.fail('write', 2, { kind: 'aborted by somebody' });
    expect((await bench.run()).delivered).toHaveLength(1);
    expect(bench.sink.calls.filter(({ verb }) => verb === 'stage')).toHaveLength(2);
  });

  test('that cannot be reached is said once, and the other files wait for the next run', async () => {
    await using bench = await PipelineBench.open({ concurrency: 1 });
    for (const name of ['a.csv', 'b.csv', 'c.csv'])
      bench.vendor.publish(name, `content of ${name}`);
    for (let n = 1; n <= 4; n++)
      bench.sink.fail('head', n, { kind: 'error', type: 'provider_down' });
    const report = await bench.run();
    expect(report.failed).toMatchObject([{ path: 'a.csv', unreachable: true }]);
    expect(report.pending.map(({ path }) => path).toSorted()).toEqual(['b.csv', 'c.csv']);
    expect((await bench.run()).delivered).toHaveLength(3);
  });

  test('that cannot commit conditionally has one writer at a time', async () => {
    await using bench = await PipelineBench.open({}, new MemorySink({ commits: 'single-writer' }));
    const other = await bench.ledger.lockPlace(bench.sink.place);
    expect(other).toBeDefined();
    const elsewhere = bench.ledgerOf('another process');
    await expect(bench.run({ ledger: elsewhere })).rejects.toMatchObject({
      code: 'OCTO_SINK_BUSY',
    });
    await other![Symbol.asyncDispose]();
    bench.vendor.publish('a.csv', 'content');
    expect((await bench.run({ ledger: elsewhere })).delivered).toHaveLength(1);
  });

  test('that finds a stranger at the key in the last moment takes the next key', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'content that is streamed');
    bench.sink.fail('commit', 1, { kind: 'foreign object', bytes: Buffer.from('stranger') });
    await bench.run();
    expect(bench.visible()).toEqual({
      'in/a.csv': 'stranger',
      'in/a~2.csv': 'content that is streamed',
    });
  });

  test('that refuses permission keeps the file waiting, and nothing is read anew for long', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'content that is streamed');
    bench.sink.fail('stage', 1, { kind: 'error', type: 'auth' });
    expect((await bench.run()).failed).toHaveLength(1);
    expect((await bench.run()).delivered).toHaveLength(1);
  });

  test('that may finish late is given time before the vendor is read again', async () => {
    await using bench = await PipelineBench.open(
      {},
      new MemorySink({ smallBytes: 8, completeGraceMs: 600_000, completesAfterAbort: true }),
    );
    bench.vendor.publish('a.csv', 'content that is streamed');
    for (let n = 1; n <= 4; n++) bench.sink.fail('commit', n, { kind: 'late' });
    const running = bench.start();
    for (let i = 0; i < 100 && bench.sink.memory.late < 4; i++) await bench.clock.advance(1000);
    const report = await bench.drive(running);
    expect(report.failed).toHaveLength(1);
    bench.sink.memory.applyLate();
    const again = await bench.run();
    expect(again.delivered).toHaveLength(1);
    expect(bench.visible()).toEqual({ 'in/a.csv': 'content that is streamed' });
    expect(bench.sink.calls.filter(({ verb }) => verb === 'stage')).toHaveLength(1);
  });

  test('whose object has other bytes than were verified raises an alarm and leaves it alone', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'content that is streamed');
    bench.sink.fail('commit', 1, { kind: 'answer lost', applied: true });
    const head = bench.sink.head.bind(bench.sink);
    let wrong = true;
    bench.sink.head = async (key, signal) => {
      const object = await head(key, signal);
      return object && wrong ? { ...object, crc64nvme: Buffer.alloc(8) } : object;
    };
    const report = await bench.run();
    wrong = false;
    expect(report.quarantined).toMatchObject([{ reason: /^SINK_MISMATCH: .*CRC-64/ }]);
    expect(Object.keys(bench.visible())).toEqual(['in/a.csv']);
  });
});

describe('a sink that lies', () => {
  /** Answers that it committed, and has nothing, for so many commits. */
  function lying(sink: MemorySink, times: number): void {
    const stage = sink.stage.bind(sink);
    let lies = 0;
    sink.stage = async (object, signal) => {
      const staged = await stage(object, signal);
      return {
        ...staged,
        commit: async (proof, inner) =>
          lies++ < times ? { outcome: 'committed' } : await staged.commit(proof, inner),
        [Symbol.asyncDispose]: () => staged[Symbol.asyncDispose](),
      };
    };
  }

  test('delivers nothing by its word where its commits are verified, and the vendor keeps the file', async () => {
    await using bench = await PipelineBench.open({ verifyCommit: true });
    bench.vendor.publish('a.csv', 'content');
    lying(bench.sink, 100);
    const report = await bench.run();
    expect(report.delivered).toEqual([]);
    expect(report.failed).toMatchObject([
      { path: 'a.csv', error: expect.stringMatching(/^COMMIT_UNCONFIRMED: .*'in\/a.csv'/) },
    ]);
    expect(bench.visible()).toEqual({});
  });

  test('once is asked again, and then has it', async () => {
    await using bench = await PipelineBench.open({ verifyCommit: true });
    bench.vendor.publish('a.csv', 'content');
    lying(bench.sink, 1);
    expect((await bench.run()).delivered).toMatchObject([{ key: 'in/a.csv' }]);
    expect(bench.visible()).toEqual({ 'in/a.csv': 'content' });
    expect((await bench.run()).delivered).toEqual([]);
  });

  test('costs one look for each file, and none where nobody asks for it', async () => {
    const looks = async (verifyCommit: boolean) => {
      await using bench = await PipelineBench.open({ verifyCommit });
      bench.vendor.publish('a.csv', 'content');
      await bench.run();
      return bench.sink.calls.filter(({ verb }) => verb === 'head').length;
    };
    expect(await looks(true)).toBe((await looks(false)) + 1);
  });

  test('that has other bytes than it was given raises an alarm', async () => {
    await using bench = await PipelineBench.open({ verifyCommit: true });
    bench.vendor.publish('a.csv', 'content');
    const head = bench.sink.head.bind(bench.sink);
    bench.sink.head = async (key, signal) => {
      const object = await head(key, signal);
      return object && { ...object, bytes: object.bytes - 1 };
    };
    const report = await bench.run();
    expect(report.quarantined).toMatchObject([{ reason: /^SINK_MISMATCH: .*instead of/ }]);
  });
});

describe('a lost ledger', () => {
  test('is no reason to deliver twice: what is there is read again and compared', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'content that is streamed');
    await bench.run();
    await using fresh = await PipelineBench.open({}, bench.sink);
    fresh.vendor.publish('a.csv', 'content that is streamed');
    const report = await fresh.run();
    expect(report.delivered).toMatchObject([{ key: 'in/a.csv' }]);
    expect(bench.visible()).toEqual({ 'in/a.csv': 'content that is streamed' });
  });
});

describe('what the provider knows', () => {
  test('about a pair of files is said after the second one, and undoes nothing', async () => {
    await using bench = await PipelineBench.open({ concurrency: 1 });
    bench.vendor.group = 'day';
    bench.vendor.publish('a.csv', '1');
    bench.vendor.publish('b.csv', '2');
    bench.vendor.reconcile = (files) =>
      files.length === 2
        ? [
            `${files
              .map(({ name }) => name)
              .toSorted()
              .join(' and ')} differ`,
          ]
        : [];
    const report = await bench.run();
    expect(report.warnings).toEqual([{ path: 'b.csv', message: 'a.csv and b.csv differ' }]);
    expect(report.delivered).toHaveLength(2);
  });
});

describe('what only the provider can read', () => {
  test('is opened and written as a table beside the file', async () => {
    await using bench = await PipelineBench.open();
    bench.steps.push(await makeStep('decode'), await makeStep('normalise', { as: 'csv' }));
    bench.vendor.decode = () =>
      async function* turnOver(bytes) {
        for await (const chunk of bytes) yield chunk.map((byte) => byte ^ 0xff);
      };
    bench.vendor.normalise = () => ({
      columns: ['byte'],
      write: (chunk) => Array.from(chunk, (byte) => [`${byte}`]),
      finish: () => [['end']],
    });
    bench.vendor.publish(
      'a.out',
      Buffer.from('AB').map((byte) => byte ^ 0xff),
    );
    expect(await bench.run()).toMatchObject({ failed: [], quarantined: [] });
    const { 'in/a.out.manifest.json': manifest = '', ...members } = bench.visible();
    expect(JSON.parse(manifest)).toMatchObject({
      members: [{ name: 'a.out' }, { name: 'a.out.normalised.csv' }],
    });
    expect(Object.values(members).toSorted()).toEqual(['AB', 'byte\n65\n66\nend\n']);
  });
});

test('of a file hardly more is held than the sink has not taken yet, however long it is', async () => {
  await using bench = await PipelineBench.open();
  bench.vendor.publish('a.csv', 'four'.repeat(250));
  let held = 0;
  bench.vendor.onChunk = (_, offset) => {
    const written = bench.sink.calls.filter(({ verb }) => verb === 'write').length;
    held = Math.max(held, offset / bench.vendor.chunkBytes - written);
  };
  expect((await bench.run()).delivered).toHaveLength(1);
  // Chunks of four bytes: two that may wait, the one that is read, and the one that is written.
  expect(held).toBeLessThanOrEqual(4);
});

test('a file that takes longer than it may is given up, and the next one is delivered', async () => {
  const limits = { ...defaultConfig.limits, maxTimeMs: 60_000 };
  await using bench = await PipelineBench.open({ limits, concurrency: 1 });
  bench.vendor.publish('slow.csv', 'drop by drop');
  bench.vendor.publish('quick.csv', 'at once');
  bench.vendor.onChunk = async ({ path }) => {
    if (path === 'slow.csv') await bench.clock.sleep(40_000);
  };
  const report = await bench.run();
  const error = expect.stringContaining('longer than limits.maxTimeMs (60000 ms)') as string;
  expect(report.failed).toMatchObject([{ path: 'slow.csv', error }]);
  expect(bench.visible()).toEqual({ 'in/quick.csv': 'at once' });
});

describe('a run that is stopped', () => {
  test('gives its files back, and the next run delivers them', async () => {
    await using bench = await PipelineBench.open();
    bench.vendor.publish('a.csv', 'content that is streamed');
    const stop = new AbortController();
    bench.vendor.onChunk = (_file, offset) => {
      if (offset === 8) stop.abort(new Error('stopped by the operator'));
    };
    await expect(bench.run({ signal: stop.signal })).rejects.toThrow('stopped by the operator');
    bench.vendor.onChunk = () => {};
    expect((await bench.run()).delivered).toHaveLength(1);
    expect(bench.visible()).toEqual({ 'in/a.csv': 'content that is streamed' });
  });
});
