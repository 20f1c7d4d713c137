/** Servers, fixtures and fakes, for tests of any runner and for demonstrations. The suites have a door of their own. */
export { ManualClock } from './manual-clock.ts';
export { RecordingLogger, type LogEntry } from './recording-logger.ts';
export { syncToDisk } from './sync-to-disk.ts';
export {
  correctedDay,
  reissuedDetails,
  summaryOneCentOff,
} from './settlements/altered-settlements.ts';
export { settlementDates } from './settlements/calendar-days.ts';
export {
  type LargeDetails,
  largeDetails,
  type LargeDetailsOptions,
} from './settlements/large-details.ts';
export { type SeededRandom, seededRandom } from './settlements/seeded-random.ts';
export type { SettlementDeposit, SettlementRow } from './settlements/settlement-csv.ts';
export {
  type SettlementDay,
  settlementDay,
  type SettlementDayOptions,
  type SettlementFile,
} from './settlements/settlement-day.ts';
export { contentOf, type FileContent, generatedContent } from './sftp/file-content.ts';
export { type HostKey, hostKeyFrom, hostKeyFromSeed, rsaHostKey } from './sftp/host-key.ts';
export { SFTP_SERVE_MODULE } from './sftp/serve-module.ts';
export type { SftpFaults, SftpOperation } from './sftp/sftp-faults.ts';
export { STATUS as SFTP_STATUS } from './sftp/sftp-wire.ts';
export {
  type SftpServer,
  type SftpUser,
  startSftp,
  type StartSftpOptions,
} from './sftp/start-sftp.ts';
export { type VirtualEntryOptions, type VirtualListing, VirtualTree } from './sftp/virtual-tree.ts';
export { MemoryPlace } from './memory-place.ts';
export {
  MemorySink,
  type MemorySinkOptions,
  type SinkCall,
  type SinkFault,
  type SinkVerb,
} from './memory-sink.ts';
export { proofOf } from './proof-of.ts';
export { S3_SERVE_MODULE } from './s3/serve-module.ts';
export type { SeenRequest as S3SeenRequest } from './s3/answer-call.ts';
export type { ArmedS3Fault, S3Fault, S3FaultRule, S3Faults, S3Operation } from './s3/s3-faults.ts';
export type { S3Credentials } from './s3/sigv4.ts';
export {
  type S3ObjectView,
  type S3Options,
  type S3Simulator,
  type S3UploadView,
  startS3,
} from './s3/start-s3.ts';
export { bombMessage } from './openpgp/bomb-message.ts';
export { positionsIn, tamperedAt } from './openpgp/damaged.ts';
export {
  encryptedMessage,
  type EncryptedMessageOptions,
  encryptedStream,
} from './openpgp/encrypted-message.ts';
export {
  lockedKey,
  receivingKey,
  retiredKey,
  strangerKey,
  type TestKey,
  vendorKey,
} from './openpgp/public-test-keys.ts';
export { type ZipLies, type ZipMember, zipArchive } from './archives/zip-archive.ts';
export type { BloombergCall } from './bloomberg/answer-rest-call.ts';
export type { BloombergCredential } from './bloomberg/credential.ts';
export type { BloombergResponse } from './bloomberg/response-store.ts';
export type { BloombergSnapshot } from './bloomberg/datasets.ts';
export type { BloombergRestFaults, SseFaults, TooMany } from './bloomberg/rest-faults.ts';
export {
  type BloombergRest,
  type BloombergRestOptions,
  startBloombergRest,
} from './bloomberg/start-bloomberg-rest.ts';
export { BLOOMBERG_SERVE_MODULE } from './bloomberg/serve-module.ts';
export type { BloombergSftpFaults } from './bloomberg/sftp-account-faults.ts';
export type { ReceivedRequest } from './bloomberg/sftp-account.ts';
export {
  type BloombergSftp,
  type BloombergSftpOptions,
  startBloombergSftp,
} from './bloomberg/start-bloomberg-sftp.ts';
