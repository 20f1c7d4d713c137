import type { Logger } from '@octo/plugin-api';
import { OctoError } from '../errors/octo-error.ts';
import type { Reload } from '../host/reloading.ts';
import type { Changes, Plan, Started } from '../manifest/plan.ts';
import { errorText } from './explain-error.ts';
import { count } from './run-line.ts';

/** How a host writes down what became of a changed manifest: one line each. */
export type ReloadLog = (reload: Reload) => void;

/** For people. */
export function textReloadLog(logger: Logger): ReloadLog {
  return (reload) => {
    if (reload.outcome === 'applied') logger.info({}, `manifest applied: ${planText(reload.plan)}`);
    else if (reload.outcome === 'unchanged') sayUnchanged(reload, logger);
    else if (reload.isNews)
      logger.error(
        {},
        `manifest refused, everything goes on as before: ${errorText(reload.error)}`,
      );
  };
}

/** For programs: the same as fields. */
export function structuredReloadLog(logger: Logger): ReloadLog {
  return (reload) => {
    if (reload.outcome === 'applied') {
      const elapsedMs = Math.round(reload.elapsedMs);
      logger.info({ ...planFields(reload.plan), elapsedMs }, 'manifest applied');
    } else if (reload.outcome === 'unchanged') sayUnchanged(reload, logger);
    else if (reload.isNews)
      logger.error(refusalFields(reload.error), 'manifest refused, everything goes on as before');
  };
}

function sayUnchanged(
  { wasRefused }: Extract<Reload, { outcome: 'unchanged' }>,
  logger: Logger,
): void {
  if (wasRefused) logger.info({}, 'the manifest says again what runs');
  else logger.debug({}, 'the manifest changes nothing');
}

/** `plugin lake changed (config/bucket), …; kept 2 plugins, 1 pipeline`. */
function planText({ plugins, pipelines }: Plan): string {
  const changes = [...changesOf('plugin', plugins), ...changesOf('pipeline', pipelines)];
  const kept = `${count(plugins.kept.length, 'plugin')}, ${count(pipelines.kept.length, 'pipeline')}`;
  const more = changes.length > MOST ? `, and ${changes.length - MOST} more` : '';
  return `${changes.slice(0, MOST).join(', ')}${more}; kept ${kept}`;
}

const MOST = 12;

function changesOf(what: string, { started, retired }: Changes): string[] {
  return [
    ...started.map((one) => `${what} ${one.id} ${one.why}${causesOf(one)}`),
    ...retired.map((id) => `${what} ${id} gone`),
  ];
}

function causesOf({ keys, plugins = [] }: Started): string {
  const causes = [...keys, ...plugins.map((id) => `its plugin ${id}`)];
  if (causes.length === 0) return '';
  const more = causes.length > 3 ? ', …' : '';
  return ` (${causes.slice(0, 3).join(', ')}${more})`;
}

function planFields({ plugins, pipelines }: Plan) {
  const fields = ({ kept, started, retired }: Changes) => ({ kept: kept.length, started, retired });
  return { plugins: fields(plugins), pipelines: fields(pipelines) };
}

function refusalFields(error: unknown) {
  if (!(error instanceof OctoError)) return { err: error };
  return {
    issues: error.issues.map(({ code, message, where }) => ({ code, message, where })),
  };
}
