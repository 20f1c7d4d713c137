import { Readable } from 'node:stream';
import type { Clock } from '@octo/plugin-api';
import type { FastifyInstance } from 'fastify';
import { OctoError } from '../../errors/octo-error.ts';
import { eventFrames } from '../event-frames.ts';
import type { ApiParts } from '../parts.ts';
import { closed, runId } from '../shapes.ts';
import { visibleRun } from './runs.ts';

/** Streams that one caller, and that all together may have open. */
const MOST_OF_ONE = 16;
const MOST = 256;
/** No stream is open for longer than a day. */
const LONGEST_MS = 86_400_000;

interface Followed {
  Params: { id: string };
  Headers: { 'last-event-id'?: string };
}

export function runEventRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { runs, clock, host, life } = parts;
  const open = new Map<string, number>();
  app.get<Followed>(
    '/v1/runs/:id/events',
    {
      config: { access: 'runs:read' },
      schema: {
        operationId: 'followRun',
        summary: 'What happens to a run, live (server-sent events); ends with the run',
        params: closed({ id: runId }, ['id']),
        headers: {
          type: 'object',
          properties: { 'last-event-id': { type: 'string', pattern: '^[0-9]{1,15}$' } },
        },
        response: {
          200: {
            description: 'Events',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
        },
      },
    },
    async (request, reply) => {
      const { id } = await visibleRun(parts, request);
      const gone = new AbortController();
      const release = take(open, request.identity!.id);
      reply.raw.once('close', () => {
        release();
        gone.abort(new Error('nobody listens any more'));
      });
      const lastSeen = request.headers['last-event-id'];
      endWith(request.identity?.expiresAt, gone, clock);
      const signal = AbortSignal.any([gone.signal, life]);
      const news = runs.follow(id, lastSeen === undefined ? undefined : Number(lastSeen), signal);
      const frames = Readable.from(eventFrames(news, { clock, redact: host.redact }));
      return await reply.type('text/event-stream').header('x-accel-buffering', 'no').send(frames);
    },
  );
}

/** A stream does not outlive the token that opened it. */
function endWith(expiresAt: number | undefined, gone: AbortController, clock: Clock): void {
  if (expiresAt === undefined) return;
  const leftMs = Math.min(Math.max(0, expiresAt - clock.now()), LONGEST_MS);
  const end = () => gone.abort(new Error('the token has expired'));
  clock.sleep(leftMs, gone.signal).then(end, () => undefined);
}

/** @returns what gives the place back. @throws OctoError `OCTO_API_TOO_MANY` */
function take(open: Map<string, number>, who: string): () => void {
  const own = open.get(who) ?? 0;
  const all = [...open.values()].reduce((sum, one) => sum + one, 0);
  if (own >= MOST_OF_ONE || all >= MOST)
    throw new OctoError('OCTO_API_TOO_MANY', `${own} streams are open already; close one first`);
  open.set(who, own + 1);
  return () => {
    const left = (open.get(who) ?? 1) - 1;
    if (left > 0) open.set(who, left);
    else open.delete(who);
  };
}
