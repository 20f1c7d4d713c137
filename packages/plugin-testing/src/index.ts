export { ManualClock } from './manual-clock.ts';
export { RecordingLogger, type LogEntry } from './recording-logger.ts';
