import type { OptionSpec } from '../command.ts';

/** What nearly every command takes. */
export const common = {
  manifest: {
    type: 'string',
    short: 'm',
    value: 'FILE',
    summary: 'the manifest (default plugins.json)',
  },
  state: {
    type: 'string',
    value: 'DIR',
    summary: 'the state folder (default .octo beside the manifest; or OCTO_STATE)',
  },
  json: { type: 'boolean', summary: 'JSON for programs instead of text for people' },
  help: { type: 'boolean', short: 'h', summary: 'explain this command' },
} as const satisfies Record<string, OptionSpec>;

export const log = {
  type: 'string',
  value: 'text|json',
  summary: 'how to log (default text on a terminal, else json; or OCTO_LOG_FORMAT)',
} as const satisfies OptionSpec;

export const ofPipeline = {
  type: 'string',
  short: 'p',
  value: 'ID',
  summary: 'only of this pipeline',
} as const satisfies OptionSpec;
