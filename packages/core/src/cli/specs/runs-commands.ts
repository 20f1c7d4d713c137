import type { CommandSpec } from '../command.ts';
import { common, ofPipeline } from './options.ts';
import { narrowingOptions } from '../narrowing-of.ts';

/** Runs in the queue, and those that were. */
export const runsCommands: readonly CommandSpec[] = [
  {
    name: 'runs',
    operands: [],
    summary: 'list the runs that wait, go on and have ended',
    options: {
      ...common,
      pipeline: ofPipeline,
      only: {
        type: 'string',
        value: 'STATES',
        summary: 'only in these states: queued, running, succeeded, failed, cancelled, quarantined',
      },
      limit: { type: 'string', short: 'n', value: 'N', summary: 'at most so many (default 50)' },
    },
    load: async () => (await import('../commands/runs.ts')).runs,
  },
  {
    name: 'runs show',
    operands: [{ name: 'id', required: true }],
    summary: 'tell what became of a run and of each of its files',
    options: common,
    load: async () => (await import('../commands/runs-show.ts')).runsShow,
  },
  {
    name: 'runs request',
    operands: [{ name: 'pipeline', required: true }],
    summary: 'put a run into the queue of the hosts',
    details: [
      'Durable when the command ends; the next host with a free place for the pipeline takes it.',
      'For a backfill: --since and --path; what was delivered is not delivered again.',
    ],
    options: {
      ...common,
      ...narrowingOptions,
      priority: { type: 'string', value: 'N', summary: 'higher first, -100 to 100 (default 0)' },
      key: {
        type: 'string',
        value: 'KEY',
        summary: 'the same request with the same key is the same run',
      },
    },
    load: async () => (await import('../commands/runs-request.ts')).runsRequest,
  },
  {
    name: 'runs cancel',
    operands: [{ name: 'id', required: true }],
    summary: 'take a run out of the queue, or stop it',
    options: common,
    load: async () => (await import('../commands/runs-cancel.ts')).runsCancel,
  },
  {
    name: 'runs retry',
    operands: [{ name: 'id', required: true }],
    summary: 'ask for the same run again',
    options: common,
    load: async () => (await import('../commands/runs-retry.ts')).runsRetry,
  },
];
