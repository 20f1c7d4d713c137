import type { Fault } from './fault.ts';
import { API } from './faults/api.ts';
import { AVAILABILITY } from './faults/availability.ts';
import { PLUGINS } from './faults/plugins.ts';
import { RECORD } from './faults/record.ts';
import { SECRETS } from './faults/secrets.ts';
import { VENDORS } from './faults/vendors.ts';

/** Every planted fault, in the order of the threat model. */
export const FAULTS: readonly Fault[] = [
  ...PLUGINS,
  ...VENDORS,
  ...API,
  ...SECRETS,
  ...RECORD,
  ...AVAILABILITY,
];
