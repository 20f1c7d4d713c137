import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { errorOfIssues, type Issue, OctoError } from '../errors/octo-error.ts';
import { escapeText } from '../observe/escape-text.ts';
import { byteSize } from './byte-size.ts';
import { checkManifest } from './check-manifest.ts';
import { type Check, compileCheck } from './check-value.ts';
import { codeOf } from './code-of.ts';
import { closedStores, type Held, heldBy, withoutHeld } from './held.ts';
import type { HostConfig } from './host-settings.ts';
import type {
  Allowance,
  InstanceConfig,
  Manifest,
  PipelineConfig,
  Policy,
  StepConfig,
  WebhookConfig,
} from './manifest.ts';
import type { ManifestSource } from './manifest-source.ts';
import { parseText } from './parse-text.ts';
import { periodMs } from './period.ts';
import { type InstanceAlone, OutsideSecrets } from './outside-secrets.ts';
import { pointerTo, valueAt } from './pointer.ts';
import { type CheckedBreaker, type CheckedRate, policyOf } from './policy-of.ts';
import { readBounded, TooLarge } from './read-bounded.ts';
import { type ReferenceOptions, resolveReferences } from './references.ts';
import { NO_SECRETS, SecretReferences } from './secret-references.ts';
import type { SecretSource } from './secret-source.ts';
import type { SecretStores } from './secret-stores.ts';
import { StoreClosed } from './store-closed.ts';

export interface ReadManifestOptions {
  /** What `${env:NAME}` refers to. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `${secret:name}` refers to. Default: nothing. */
  readonly secrets?: SecretSource | undefined;
  /** What `${secret:<instance>/<name>}` refers to. Default: nothing. */
  readonly stores?: SecretStores | undefined;
  /**
   * What becomes of a manifest that names secrets of a store that does not open: it is refused, the default, or what needs
   * them is held; see `Manifest.held`.
   */
  readonly sealed?: 'refuse' | 'hold';
}

/**
 * Reads `plugins.json`: JSON with comments and trailing commas, references resolved, validated, defaults applied, frozen.
 * @throws OctoError with all that is wrong, as `issues`: what, where and what was probably meant
 */
export async function readManifest(file: string, options: ReadManifestOptions): Promise<Manifest> {
  const path = resolve(file);
  return await parseManifest(await readText(path), path, options);
}

/**
 * The same for a text that is to become the file at `path`, absolute.
 * @throws OctoError as {@link readManifest}
 */
export async function parseManifest(
  text: string,
  path: string,
  { env, secrets = NO_SECRETS, stores, sealed = 'refuse' }: ReadManifestOptions,
): Promise<Manifest> {
  const folder = dirname(path);
  const { value: written, source } = parseText(shownPath(path), text);
  const references = { env, folder, secrets: new SecretReferences(secrets) };
  const alone = aloneIn(written, { file: path, folder, source }, references);
  references.secrets.add(await OutsideSecrets.read(written, stores, alone));
  const resolved = await resolveReferences(written, source, references);
  const { issues, waiting } = resolved;
  const value = withoutHeld(resolved.value, waiting);
  const checked = checkSchema(value, source);
  const found = [...checked.issues, ...checkManifest(value, source)];
  const all = [
    ...issues,
    ...withoutEchoes(found, [...issues, ...waiting]),
    ...(sealed === 'refuse' ? closedStores(waiting, source) : []),
  ];
  if (all.length > 0) throw errorOfIssues(source.sorted(all));
  const held = heldBy(waiting, checked.value as Checked, source);
  return await manifestOf(checked.value as Checked, { file: path, folder, held, source });
}

/** A store of secrets is asked before all else is known: it is a manifest of its own, in which nothing refers to a store. */
function aloneIn(
  written: unknown,
  origin: Pick<Manifest, 'file' | 'folder' | 'source'>,
  references: ReferenceOptions,
): InstanceAlone {
  return async (id) => {
    const at = pointerTo('/plugins', id);
    const plugin = valueAt(written, ['plugins', id]);
    const { value, issues, waiting } = await resolveReferences(
      plugin,
      origin.source,
      references,
      at,
    );
    const [closed] = waiting;
    if (closed !== undefined) return new StoreClosed(closed.reason);
    const wide = valueAt(written, ['egress']);
    const egress = (await resolveReferences(wide, origin.source, references, '/egress')).value;
    const whole = { ...(egress !== undefined && { egress }), plugins: { [id]: value } };
    const checked = checkSchema(whole, origin.source);
    if (issues.length > 0 || checked.issues.length > 0) return undefined;
    return await manifestOf(checked.value as Checked, { ...origin, held: new Map() });
  };
}

/** A manifest of a hundred pipelines has 50 KiB. */
const MAX_BYTES = 1024 * 1024;

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist; --manifest FILE names another one',
  ENOTDIR: 'does not exist; --manifest FILE names another one',
  EACCES: 'may not be read; check its owner and permissions',
  EISDIR: 'is a folder; name the file in it',
};

async function readText(path: string): Promise<string> {
  const refuse = (code: 'OCTO_MANIFEST_NOT_FOUND' | 'OCTO_MANIFEST_UNREADABLE', why: string) =>
    new OctoError(code, `the manifest ${escapeText(shownPath(path))} ${why}`);
  try {
    await using handle = await open(path, 'r');
    const bytes = await readBounded(handle, MAX_BYTES);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TooLarge) {
      throw refuse('OCTO_MANIFEST_UNREADABLE', 'is larger than 1 MiB; is it the right file?');
    }
    const code = String((error as { readonly code?: unknown }).code);
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw refuse('OCTO_MANIFEST_UNREADABLE', 'is not UTF-8 text');
    }
    throw refuse('OCTO_MANIFEST_NOT_FOUND', WHY[code] ?? `cannot be read (${code})`);
  }
}

/** Relative where that is shorter to read: below the working folder. */
function shownPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}

/** Of this package, the same from `src` and from `dist`. */
const SCHEMA = new URL('../../schema/plugins.schema.json', import.meta.url);

/** Compiled when it is first needed. */
let check: Check | undefined;

function checkSchema(value: unknown, source: ManifestSource): { value: unknown; issues: Issue[] } {
  check ??= compileCheck(JSON.parse(readFileSync(SCHEMA, 'utf8')) as object);
  const checked = check(value, (pointer) => source.isReference(pointer));
  const issues = checked.problems.map(({ pointer, text, of }) =>
    source.issue('OCTO_MANIFEST_INVALID', pointer, text, of),
  );
  return { value: checked.value, issues };
}

/** A reference that did not resolve also fails whatever its place asks for. */
function withoutEchoes(
  issues: readonly Issue[],
  unresolved: readonly { readonly pointer?: string }[],
): Issue[] {
  const places = new Set(unresolved.map(({ pointer }) => pointer));
  return issues.filter(({ pointer }) => !places.has(pointer));
}

/** The manifest as its schema promises it, defaults applied. */
interface Checked {
  readonly host: HostConfig & {
    readonly notify?: Readonly<Record<string, Omit<WebhookConfig, 'name'>>>;
  };
  readonly allowRemovals: boolean;
  readonly egress: 'open' | 'listed';
  readonly plugins: Readonly<Record<string, CheckedInstance>>;
  readonly pipelines: Readonly<Record<string, CheckedPipeline>>;
}
interface CheckedInstance {
  readonly use: string;
  readonly enabled: boolean;
  readonly config: Readonly<Record<string, unknown>>;
  readonly policy: Pick<Policy, 'timeoutMs' | 'attempts'> & {
    readonly breaker: CheckedBreaker;
    readonly rate?: CheckedRate;
  };
  readonly allow: Allowance;
}
type CheckedPipeline = Omit<
  PipelineConfig,
  'id' | 'steps' | 'everyMs' | 'lateAfterMs' | 'limits'
> & {
  readonly steps: readonly (string | Readonly<Record<string, Readonly<Record<string, unknown>>>>)[];
  readonly every?: string;
  readonly lateAfter?: string;
  readonly limits: Omit<PipelineConfig['limits'], 'maxBytes' | 'maxMemory'> & {
    readonly maxBytes: string | number;
    readonly maxMemory: string | number;
  };
};

async function manifestOf(
  { plugins, pipelines, allowRemovals, egress, host }: Checked,
  origin: Pick<Manifest, 'file' | 'folder' | 'source'> & { readonly held: Held },
): Promise<Manifest> {
  const isLive = (room: string, id: string, enabled: boolean) =>
    enabled && !origin.held.has(pointerTo(room, id));
  const codes = new Map<string, string>();
  for (const [id, { use, enabled }] of Object.entries(plugins)) {
    if (isLive('/plugins', id, enabled) && !codes.has(use))
      codes.set(use, await codeOf(use, origin.folder));
  }
  const instances = Object.entries(plugins).map(([id, plugin]): [string, InstanceConfig] => [
    id,
    Object.freeze({
      id,
      ...plugin,
      enabled: isLive('/plugins', id, plugin.enabled),
      policy: policyOf(plugin.policy),
      allow: Object.freeze({ ...(egress === 'listed' && { egress: [] }), ...plugin.allow }),
      code: codes.get(plugin.use) ?? '',
    }),
  ]);
  const configs = Object.entries(pipelines).map(([id, pipeline]): [string, PipelineConfig] => [
    id,
    pipelineOf(id, { ...pipeline, enabled: isLive('/pipelines', id, pipeline.enabled) }),
  ]);
  return Object.freeze({
    ...origin,
    plugins: new Map(instances),
    pipelines: new Map(configs),
    allowRemovals,
    webhooks: new Map(
      Object.entries(host.notify ?? {}).map(([name, webhook]) => [
        name,
        Object.freeze({ name, ...webhook }),
      ]),
    ),
    host,
  });
}

function pipelineOf(
  id: string,
  { steps, every, lateAfter, limits, ...rest }: CheckedPipeline,
): PipelineConfig {
  return Object.freeze({
    ...rest,
    id,
    steps: Object.freeze(steps.map(stepOf)),
    schedule: rest.schedule,
    settleMs: rest.settleMs,
    everyMs: every === undefined ? undefined : periodMs(every),
    ...(lateAfter !== undefined && { lateAfterMs: periodMs(lateAfter)! }),
    limits: Object.freeze({
      ...limits,
      maxBytes: byteSize(limits.maxBytes) ?? Number.NaN,
      maxMemory: byteSize(limits.maxMemory) ?? Number.NaN,
    }),
  });
}

function stepOf(
  step: string | Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): StepConfig {
  const [name, options] =
    typeof step === 'string' ? [step, {}] : (Object.entries(step)[0] ?? ['', {}]);
  return Object.freeze({ name, options });
}
