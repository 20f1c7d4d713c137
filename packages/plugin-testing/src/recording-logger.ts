import type { Logger } from '@octo/plugin-api';

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: { readonly [name: string]: unknown };
}

/** A logger that keeps what it is told, for tests. */
export class RecordingLogger implements Logger {
  readonly entries: LogEntry[] = [];

  debug(fields: LogEntry['fields'], message: string): void {
    this.entries.push({ level: 'debug', message, fields });
  }

  info(fields: LogEntry['fields'], message: string): void {
    this.entries.push({ level: 'info', message, fields });
  }

  warn(fields: LogEntry['fields'], message: string): void {
    this.entries.push({ level: 'warn', message, fields });
  }

  error(fields: LogEntry['fields'], message: string): void {
    this.entries.push({ level: 'error', message, fields });
  }

  /** The messages in order, of one level or of all. */
  messages(level?: LogEntry['level']): string[] {
    return this.entries
      .filter((entry) => level === undefined || entry.level === level)
      .map((entry) => entry.message);
  }
}
