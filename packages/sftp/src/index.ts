export { connectSftp, type SftpServices } from './connect-sftp.ts';
export { diagnoseSftp } from './diagnose-sftp.ts';
export { displayPath } from './display-path.ts';
export type { EntryKind, FolderEntry, SftpStat } from './folder-entry.ts';
export { scanHostKeys, type ScannedHostKey } from './scan-host-keys.ts';
export { checkSftpOptions, type SftpOptions } from './sftp-options.ts';
export type { ReadOptions, SftpSession } from './sftp-session.ts';
