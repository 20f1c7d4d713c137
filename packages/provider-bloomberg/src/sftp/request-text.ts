import { isPluginError, PluginError } from '@octo/plugin-api';
import type { RequestFileConfig } from '../config-schema.ts';
import {
  type IdentifierType,
  type RequestedSecurity,
  requestFile,
  type RequestHeader,
} from '../formats/request-file.ts';
import { securitiesOf, type Security } from '../security.ts';

/**
 * The request file whose reply is to have this name.
 * @throws PluginError `validation` with code `BAD_REQUEST`, which names the reply
 */
export function requestText(config: RequestFileConfig, reply: string, username: string): string {
  const { fields = [], firmName = username, program, programFlag, securities } = config;
  const headers = {
    ...furtherHeaders(config),
    FIRMNAME: firmName,
    PROGRAMNAME: program,
    PROGRAMFLAG: programFlag,
    REPLYFILENAME: reply,
  };
  try {
    return requestFile({ headers, fields, securities: securitiesOf(securities).map(requested) });
  } catch (error) {
    if (!isPluginError(error)) throw error;
    throw new PluginError(error.type, `config/requestFiles '${config.reply}': ${error.message}`, {
      code: 'BAD_REQUEST',
      cause: error,
    });
  }
}

function furtherHeaders({ headers, reply }: RequestFileConfig): {
  [name in RequestHeader]?: string;
} {
  const further: { [name: string]: string } = {};
  for (const line of headers) {
    const equals = line.indexOf('=');
    const name = line.slice(0, equals);
    const instead = OWN_SETTINGS[name];
    if (instead !== undefined)
      throw refused(
        reply,
        `${name} is not written among the headers; there is '${instead}' for it`,
      );
    if (further[name] !== undefined) throw refused(reply, `the header ${name} is there twice`);
    further[name] = line.slice(equals + 1);
  }
  return further;
}

/** Whether the names are known ones is for the builder to say. */
function requested({ id, overrides, type }: Security): RequestedSecurity {
  const values = overrides.map(({ mnemonic, value }) => [mnemonic, value] as const);
  return {
    identifier: id,
    ...(type !== undefined && { type: type as IdentifierType }),
    ...(values.length > 0 && { overrides: Object.fromEntries(values) }),
  };
}

const OWN_SETTINGS: { readonly [header: string]: string } = {
  FIRMNAME: 'firmName',
  PROGRAMNAME: 'program',
  PROGRAMFLAG: 'programFlag',
  REPLYFILENAME: 'reply',
};

function refused(reply: string, what: string): PluginError {
  return new PluginError('validation', `config/requestFiles '${reply}': ${what}`, {
    code: 'BAD_REQUEST',
  });
}
