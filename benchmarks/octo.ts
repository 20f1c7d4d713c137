/**
 * Octo as people run it: `octo-host run` on a manifest, with its ledger in an embedded PostgreSQL. Each round is a pipeline
 * of its own name, so that the ledger, which stays, does not know the files.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Contender, Task } from './case.ts';
import type { Ground } from './ground.ts';
import { sshKeyOf, type Remote } from './remote.ts';

export interface OctoJob {
  readonly name?: string;
  /** A folder on the server, or one on this machine. */
  readonly from: { readonly remote: Remote; readonly folder: string } | { readonly folder: string };
  readonly steps?: readonly unknown[];
  readonly to: { readonly folder: string } | { readonly endpoint: string };
  /** Further settings of the pipeline. */
  readonly pipeline?: { readonly [name: string]: unknown };
  readonly check: (round: number) => Promise<void>;
  readonly tidy: (round: number) => Promise<void>;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export function octo(ground: Ground, job: OctoJob): Contender {
  const name = job.name ?? 'octo-host run';
  return {
    name,
    async task(round): Promise<Task> {
      const folder = await ground.at('octo', name.replaceAll(/\W+/g, '-'));
      const manifest = join(folder, 'plugins.json');
      await writeFile(manifest, JSON.stringify(manifestOf(job, `round-${round}`)), { mode: 0o600 });
      const host = join(ROOT, 'packages/core/bin/octo-host.mjs');
      return {
        argv: [process.execPath, host, 'run', `round-${round}`, '--manifest', manifest],
        check: () => job.check(round),
        tidy: () => job.tidy(round),
      };
    },
  };
}

function manifestOf(job: OctoJob, pipeline: string): unknown {
  return {
    plugins: {
      vendor: { use: join(ROOT, 'packages/provider-affirm'), config: vendorConfig(job.from) },
      place: 'folder' in job.to ? folderSink(job.to.folder) : s3Sink(job.to.endpoint),
    },
    pipelines: {
      [pipeline]: {
        from: 'vendor',
        ...(job.steps !== undefined && { steps: job.steps }),
        to: 'place',
        key: `${pipeline}/{name}`,
        // The peers read once. What octo does otherwise with a file that has no integrity of its own is to read it twice.
        doubleRead: false,
        limits: { maxBytes: 2 ** 40 },
        ...job.pipeline,
      },
    },
  };
}

function vendorConfig(from: OctoJob['from']): unknown {
  const names = { pattern: '^.+$', settleMs: 0 };
  if (!('remote' in from)) return { directory: from.folder, ...names };
  return { ...sshKeyOf(from.remote), remoteDir: from.folder, ...names };
}

function folderSink(directory: string): unknown {
  return { use: join(ROOT, 'packages/sink-fs'), config: { directory } };
}

function s3Sink(endpoint: string): unknown {
  const credentials = { accessKeyId: 'octo', secretAccessKey: 'not a secret' };
  const config = {
    bucket: 'bench',
    region: 'us-east-1',
    endpoint,
    forcePathStyle: true,
    credentials,
  };
  return { use: join(ROOT, 'packages/sink-s3'), config };
}
