/** The contract suites, a door of their own (`@octo/plugin-testing/suites`): they need vitest, the rest does not. */
export { pluginSuite, type PluginSuiteOptions } from './plugin-suite.ts';
export {
  type OpenProvider,
  providerSuite,
  type ProviderSuiteOptions,
  type ProviderUnderTest,
  type VendorFile,
} from './provider-suite.ts';
export {
  type OpenSink,
  sinkSuite,
  type SinkSuiteOptions,
  type SinkUnderTest,
} from './sink-suite.ts';
export { type OpenSecretStore, secretsSuite, type SecretStoreUnderTest } from './secrets-suite.ts';
