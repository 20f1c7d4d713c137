import type { PluginError } from '@octo/plugin-api';
import type { Delivery } from '../ledger/delivery.ts';
import type { Delivered } from './run-report.ts';

/** How one attempt at one delivery ended. */
export type Outcome =
  | {
      readonly outcome: 'delivered';
      readonly delivered: Delivered;
      /** What steps and inspections found. */
      readonly facts: Delivery['facts'];
      /** Nothing is left to be done at the vendor. */
      readonly clean: boolean;
    }
  | { readonly outcome: 'duplicate'; readonly of: string }
  | { readonly outcome: 'quarantined'; readonly reason: string }
  /** This version is no longer at the vendor. */
  | { readonly outcome: 'superseded'; readonly reason: string }
  /** Another delivery has the same content in its hands. */
  | { readonly outcome: 'waiting'; readonly holder: string }
  /** Keeps all it has; somebody or something outside must act first. */
  | {
      readonly outcome: 'parked';
      readonly reason: string;
      readonly unreachable: boolean;
      readonly mayPass: boolean;
      /** It is the sink that cannot be reached, so that no other file can be delivered now either. */
      readonly sinkIsDown: boolean;
      /** Why, when it is to be left alone for a while. */
      readonly sinkTrouble?: Pick<PluginError, 'type' | 'retryAfterMs'>;
    }
  /** Nothing of it is at the sink, and no more was wanted. */
  | { readonly outcome: 'looked' }
  /** Another process has taken it over. */
  | { readonly outcome: 'fenced-out' };
