import type { Kind } from '@octo/plugin-api';
import { errorOfIssues, type Issue } from '../errors/octo-error.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { pointerTo, segmentsOf } from '../manifest/pointer.ts';
import { listOf } from '../manifest/suggest.ts';
import type { Redactor } from '../observe/redactor.ts';
import { verdictOn } from './defects.ts';
import { exposedFiles } from './exposed-files.ts';
import { type KnownPlaces, isBelow, secretsOf } from './secrets-of.ts';

/** What is known of a manifest once its plugins were loaded, wherever that happened. */
export interface Findings {
  readonly manifest: Manifest;
  readonly instances: ReadonlyMap<string, { readonly kind: Kind } & WithSecrets>;
  readonly steps: ReadonlyMap<string, WithSecrets>;
  readonly issues: readonly Issue[];
}

interface WithSecrets {
  /** Values at places that a schema marks secret, by pointer into the manifest. */
  readonly secrets: ReadonlyMap<string, unknown>;
}

interface JudgeOptions {
  readonly redactor: Redactor;
  /** Whether an instance whose code is defect may stand in the manifest all the same. */
  readonly isTolerated: (instance: string) => boolean;
}

/**
 * Hands the manifest's secrets to the redactor, and decides what becomes of what was found.
 * @returns the instances whose code is defect, with the reason
 * @throws OctoError with all that is wrong, as `issues`
 */
export function judgeManifest(
  findings: Findings,
  { redactor, isTolerated }: JudgeOptions,
): ReadonlyMap<string, Issue> {
  const { manifest, issues } = findings;
  const places = placesIn(findings);
  redactor.add(secretsOf(manifest, places));
  const exposed = exposedFiles(manifest, (pointer) => isBelow(pointer, places.secrets.keys()));
  // Messages of plugins and steps may quote what they were given.
  const all = [...issues, ...wrongKinds(findings), ...exposed].map((issue) => {
    return { ...issue, message: redactor.redact(issue.message) };
  });
  const { refused, broken } = verdictOn(manifest.source.sorted(all), isTolerated);
  if (refused.length > 0) throw errorOfIssues(refused);
  return broken;
}

function placesIn({ instances, steps }: Findings): KnownPlaces {
  const owners = [...instances.values(), ...steps.values()];
  const secrets = new Map(owners.flatMap((owner) => [...owner.secrets]));
  // What no schema has looked at is not known: switched off, left out, or not loaded.
  const isKnown = (pointer: string): boolean => {
    const [room, id = '', part] = segmentsOf(pointer);
    if (room === 'plugins' && part === 'config') return instances.has(id);
    return room === 'pipelines' && part === 'steps' ? steps.has(id) : true;
  };
  return { secrets, isKnown };
}

const KINDS: Readonly<Record<Kind, string>> = {
  provider: 'a provider',
  sink: 'a sink',
  secrets: 'a store of secrets',
};

function wrongKinds({ manifest, instances }: Findings): Issue[] {
  const ends = [...manifest.pipelines.values()].flatMap((pipeline) => [
    { pipeline, end: 'from', wanted: 'provider' } as const,
    { pipeline, end: 'to', wanted: 'sink' } as const,
  ]);
  return ends.flatMap(({ pipeline, end, wanted }) => {
    const kind = instances.get(pipeline[end])?.kind;
    if (kind === undefined || kind === wanted) return [];
    const fitting = [...instances].filter(([, one]) => one.kind === wanted);
    const names = listOf(fitting.map(([id]) => id));
    const hint = names === '' ? '' : `; ${KINDS[wanted]} is ${names}`;
    const problem = `names '${pipeline[end]}', which is ${KINDS[kind]}, not ${KINDS[wanted]}${hint}`;
    const pointer = pointerTo(pointerTo('/pipelines', pipeline.id), end);
    return [manifest.source.issue('OCTO_INSTANCE_WRONG_KIND', pointer, problem)];
  });
}
