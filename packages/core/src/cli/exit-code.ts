import { isPluginError, type PluginErrorType } from '@octo/plugin-api';
import { constants } from 'node:os';
import type { ErrorCode } from '../errors/catalogue.ts';
import { Interrupted } from './environment.ts';
import { OctoError } from '../errors/octo-error.ts';
import { UsageError } from './usage-error.ts';
import type { RunReport } from '../pipeline/run-report.ts';

/** How `octo-host` ends. docs/operating.md explains each. */
export const exitCodes = {
  allWell: 0,
  /** A file failed or was set aside; everything else was done. */
  filesRefused: 1,
  /** The command line, the manifest or a plugin's configuration was refused. */
  refused: 2,
  /** A vendor, a sink or the ledger's database could not be reached, or refused the login. */
  unreachable: 3,
  /** A defect of the host itself. EX_SOFTWARE of sysexits.h. */
  defect: 70,
} as const;

/** What is neither the manifest's nor the configuration's fault. */
const exitCodesOfCodes: Partial<Readonly<Record<ErrorCode, number>>> = {
  OCTO_SINK_BUSY: exitCodes.unreachable,
  OCTO_WORKER_FAILED: exitCodes.filesRefused,
  OCTO_WORKER_QUARANTINED: exitCodes.filesRefused,
  OCTO_STATE_FULL: exitCodes.filesRefused,
  OCTO_AUDIT_UNAVAILABLE: exitCodes.filesRefused,
  OCTO_SECRETS_BUSY: exitCodes.filesRefused,
  OCTO_DATABASE_FULL: exitCodes.filesRefused,
  OCTO_DATABASE_FAILED: exitCodes.unreachable,
  OCTO_DATABASE_UNREACHABLE: exitCodes.unreachable,
  OCTO_DATABASE_REFUSED: exitCodes.unreachable,
  OCTO_DATABASE_READ_ONLY: exitCodes.unreachable,
};

/** The other side was reached, and what it said was wrong. */
const exitCodesOfTypes: Partial<Readonly<Record<PluginErrorType, number>>> = {
  validation: exitCodes.refused,
  integrity: exitCodes.filesRefused,
};

/** The exit code for an error that ended a command; an interruption ends as the signal would: 128 + its number. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.refused;
  if (error instanceof Interrupted) return 128 + constants.signals[error.signalName];
  if (error instanceof AggregateError) return Math.max(...error.errors.map(exitCodeOf));
  if (error instanceof OctoError) {
    if (isPluginError(error.cause)) return exitCodeOf(error.cause);
    return exitCodesOfCodes[error.code] ?? exitCodes.refused;
  }
  if (isSystemError(error)) return exitCodes.filesRefused;
  if (!isPluginError(error)) return exitCodes.defect;
  return exitCodesOfTypes[error.type] ?? exitCodes.unreachable;
}

/** What the operating system refused, such as a full disk or a missing permission: no defect of the program. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** The exit code of a run that came to its end. */
export function exitCodeOfRun(report: RunReport): number {
  if (report.failed.some(({ unreachable }) => unreachable)) return exitCodes.unreachable;
  const refused = report.failed.length + report.quarantined.length;
  return refused > 0 ? exitCodes.filesRefused : exitCodes.allWell;
}
