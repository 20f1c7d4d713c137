import type { NoticeKind } from '../manifest/manifest.ts';

/** Something that happened, as webhooks are told of it. */
export interface Happening {
  readonly kind: NoticeKind;
  /** What it is about, and which time of it. */
  readonly subject: string;
  readonly pipeline: string;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  /** Plain facts. Programs read them: names are only ever added. */
  readonly data: Readonly<Record<string, string | number>>;
}

const TYPES: Readonly<Record<NoticeKind, string>> = {
  delivered: 'file.delivered',
  quarantined: 'file.quarantined',
  failed: 'run.failed',
  late: 'pipeline.late',
};

/** The message as it is posted: `{ "type", "timestamp", "data" }`. */
export function noticeBody({ kind, pipeline, atMs, data }: Happening): string {
  const timestamp = new Date(atMs).toISOString();
  return JSON.stringify({ type: TYPES[kind], timestamp, data: { pipeline, ...data } });
}
