export { ManualClock } from './manual-clock.ts';
export { RecordingLogger, type LogEntry } from './recording-logger.ts';
export { reissuedDetails, summaryOneCentOff } from './settlements/altered-settlements.ts';
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
