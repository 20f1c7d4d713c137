import type { RequestConfig } from '../config-schema.ts';
import type { DatedName } from '../dated-name.ts';
import type { ResponseFilter } from './catalog.ts';
import type { ResponseEntry } from './response-entry.ts';

/** A configured request, and which responses are its own. */
export class AskedRequest {
  readonly config: RequestConfig;
  readonly name: DatedName;

  constructor(config: RequestConfig, name: DatedName) {
    this.config = config;
    this.name = name;
  }

  /** Narrows a listing to its responses, of all days. */
  get filter(): ResponseFilter {
    const { isDated, prefix } = this.name;
    return isDated ? { prefix } : { requestIdentifier: prefix };
  }

  owns({ requestId }: ResponseEntry): boolean {
    return this.name.matches(requestId);
  }
}
