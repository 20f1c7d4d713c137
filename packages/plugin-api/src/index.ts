export type { Clock } from './clock.ts';
export type { ConfigOf, ConfigSchema } from './config-schema.ts';
export {
  CONTRACT_VERSION,
  definePlugin,
  isPluginDefinition,
  type Kind,
  type Kinds,
  type PluginContext,
  type PluginDefinition,
  type PluginSpec,
} from './define-plugin.ts';
export type { Diagnosis, Lifecycle } from './lifecycle.ts';
export type { Logger } from './logger.ts';
export {
  isPluginError,
  PluginError,
  type PluginErrorOptions,
  type PluginErrorType,
} from './plugin-error.ts';
export type {
  Decoding,
  DeliveredFile,
  Done,
  Inspection,
  InspectionResult,
  Provider,
  RemoteFile,
  Session,
  TableRow,
  Tabulation,
} from './provider.ts';
export type { SecretStore } from './secrets.ts';
export type {
  CommitAnswer,
  ObjectToStage,
  Proof,
  Sink,
  Staged,
  Upload,
  VisibleObject,
} from './sink.ts';
export {
  CLOCK,
  LOGGER,
  RATE_LIMIT,
  STATE_FOLDER,
  SYNC_TO_DISK,
  type Given,
  type RateLimit,
  type SyncToDisk,
  type Token,
  type Wanted,
} from './token.ts';
