/** One request from its first header to its answer: signature, permission, faults, work. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { operationOf, ROUTES } from './route.ts';
import { requirePermission, type Answer, type Call, type S3Behaviour } from './s3-call.ts';
import { S3Error } from './s3-error.ts';
import type { S3Fault, S3Faults, S3Operation } from './s3-faults.ts';
import { parseRequest, type S3Request } from './s3-request.ts';
import { verifySignature, type S3Credentials } from './sigv4.ts';
import { xmlDocument } from './xml.ts';

/** A request that was answered, or met a fault. */
export interface SeenRequest {
  readonly operation: S3Operation | 'unknown';
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly headers: { readonly [name: string]: string };
  /** What was answered; `undefined` when nothing was. */
  readonly status: number | undefined;
  readonly code: string | undefined;
}

export interface Desk {
  readonly s3: S3Behaviour;
  readonly credentials: readonly S3Credentials[];
  readonly expiredTokens: ReadonlySet<string>;
  readonly faults: S3Faults;
  readonly note: (request: SeenRequest) => void;
}

export async function answerCall(
  desk: Desk,
  stream: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const seen = {
    operation: 'unknown' as S3Operation | 'unknown',
    request: undefined as S3Request | undefined,
  };
  const answer = await work(desk, stream, seen).catch((error: unknown) => errorAnswer(error));
  const { request } = seen;
  desk.note({
    operation: seen.operation,
    bucket: request?.bucket,
    key: request?.key,
    headers: request?.headers ?? {},
    status: typeof answer === 'string' ? undefined : answer.status,
    code: typeof answer === 'string' ? undefined : codeOf(answer),
  });
  if (answer === 'hang') return;
  if (answer === 'drop') stream.socket.destroy();
  else await send(desk, answer, stream, response);
}

type Outcome = (Answer & { readonly code?: string }) | 'hang' | 'drop';

async function work(
  desk: Desk,
  stream: IncomingMessage,
  seen: { operation: S3Operation | 'unknown'; request: S3Request | undefined },
): Promise<Outcome> {
  const { s3 } = desk;
  const request = parseRequest(stream);
  seen.request = request;
  const operation = operationOf(request);
  seen.operation = operation;
  const { credentials, expiredTokens } = desk;
  const now = s3.now();
  const verified = verifySignature(request, { region: s3.region, now, credentials, expiredTokens });
  checkPermissions(s3, operation, request);
  const fault = desk.faults.next(operation, request.key ?? '');
  const call: Call = {
    request,
    verified,
    s3,
    assemble: async (upload) => {
      if (fault?.do !== 'assemble') return false;
      upload.assembling = true;
      if (fault.drop === true) stream.socket.destroy();
      await fault.until;
      return true;
    },
  };
  return withFault(fault, stream, () => ROUTES[operation].handle(call));
}

async function withFault(
  fault: S3Fault | undefined,
  stream: IncomingMessage,
  handle: () => Promise<Answer>,
): Promise<Outcome> {
  switch (fault?.do) {
    case 'fail':
      return failure(fault);
    case 'fail-in-200':
      if (fault.applied === true) await handle();
      return {
        ...errorAnswer(
          new S3Error(200, fault.code, 'We encountered an internal error. Please try again.'),
        ),
      };
    case 'drop':
      if (fault.applied) await handle();
      return 'drop';
    case 'hang':
      if (fault.applied) await handle();
      return 'hang';
    case 'hold':
      await fault.until;
      return handle();
    case 'apply-late':
      return applyLate(fault.until, stream, handle);
    default:
      return handle();
  }
}

function failure(fault: S3Fault & { readonly do: 'fail' }): Outcome {
  const answer = errorAnswer(new S3Error(fault.status, fault.code, fault.message ?? fault.code));
  if (fault.retryAfterSeconds === undefined) return answer;
  return {
    ...answer,
    headers: { ...answer.headers, 'retry-after': String(fault.retryAfterSeconds) },
  };
}

/** The body must be here before the connection is cut, so the work stops at its first look at the body's end. */
async function applyLate(
  until: Promise<unknown>,
  stream: IncomingMessage,
  handle: () => Promise<Answer>,
): Promise<Outcome> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk as Uint8Array);
  stream[Symbol.asyncIterator] = () => iterate(chunks);
  stream.socket.destroy();
  await until;
  await handle();
  return 'drop';
}

async function* iterate(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function checkPermissions(s3: S3Behaviour, operation: S3Operation, request: S3Request): void {
  const { headers } = request;
  const resource = [request.bucket, request.key].filter((part) => part !== undefined).join('/');
  requirePermission(s3, ROUTES[operation].permission, resource);
  if (headers['x-amz-tagging'] !== undefined)
    requirePermission(s3, 's3:PutObjectTagging', resource);
  if (request.method !== 'GET' && request.method !== 'HEAD' && headers['if-match'] !== undefined) {
    requirePermission(s3, 's3:GetObject', resource);
  }
  const usesChecksums = Object.keys(headers).some(
    (name) =>
      (name.startsWith('x-amz-checksum-') && name !== 'x-amz-checksum-mode') ||
      name === 'x-amz-trailer',
  );
  if (s3.checksums === 'refused' && usesChecksums) {
    throw new S3Error(501, 'NotImplemented', 'Checksum headers are not implemented.');
  }
}

function errorAnswer(error: unknown): Answer & { readonly code: string } {
  const known =
    error instanceof S3Error
      ? error
      : new S3Error(500, 'InternalError', `Simulator: ${String(error)}`);
  const { code, message, status, details } = known;
  const content = { Code: code, Message: message, ...details, RequestId: randomUUID() };
  const body = xmlDocument('Error', content).replace(/ xmlns="[^"]*"/, '');
  return { status, headers: { 'content-type': 'application/xml' }, body, code };
}

function codeOf(answer: Answer & { readonly code?: string }): string | undefined {
  return answer.code;
}

async function send(
  desk: Desk,
  answer: Answer,
  stream: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (response.destroyed) return;
  const bodiless = stream.method === 'HEAD' || answer.status === 204 || answer.status === 304;
  response.writeHead(answer.status, {
    server: 'AmazonS3',
    date: new Date(desk.s3.now()).toUTCString(),
    'x-amz-request-id': randomUUID(),
    ...answer.headers,
    ...(typeof answer.body === 'string' && { 'content-length': Buffer.byteLength(answer.body) }),
  });
  if (bodiless || answer.body === undefined) response.end();
  else if (typeof answer.body === 'string') response.end(answer.body);
  else await pipeline(answer.body, response).catch(() => response.destroy());
}
