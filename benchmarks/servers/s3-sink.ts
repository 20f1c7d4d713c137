/**
 * An S3 endpoint that costs next to nothing: it counts the bytes of every object and throws them away. It checks no
 * signature and no checksum; what is right is for the simulator in `@octo/plugin-testing` and the conformance tests to
 * say. ETags end in `-1`, so that no client takes them for an MD5.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Stored {
  readonly bytes: number;
  readonly headers: Readonly<Record<string, string>>;
}

const objects = new Map<string, Stored>();
const uploads = new Map<
  string,
  { readonly parts: Map<number, number>; readonly headers: Stored['headers'] }
>();

const server = createServer(
  { requestTimeout: 0, keepAliveTimeout: 60_000 },
  (request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  },
);
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.stdin.resume().once('end', () => process.exit(0));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sink');
  const text = request.method === 'POST' ? await textOf(request) : '';
  const bytes = request.method === 'POST' ? 0 : await countOf(request);
  const upload = searchParams.get('uploadId') ?? '';
  response.setHeader('ETag', '"5d41402abc4b2a76b9719d911017c592-1"');
  const taken = request.headers['if-none-match'] === '*' && objects.has(pathname);
  if (taken) refuse(response, 412, 'PreconditionFailed');
  else if (request.method === 'POST' && searchParams.has('uploads'))
    begin(request, response, pathname);
  else if (request.method === 'POST') complete(response, pathname, upload, text);
  else if (request.method === 'PUT' && upload !== '') {
    uploads.get(upload)?.parts.set(Number(searchParams.get('partNumber')), bytes);
    response.end();
  } else if (searchParams.has('tagging')) response.end();
  else if (request.method === 'PUT') {
    objects.set(pathname, { bytes, headers: metadataOf(request) });
    response.end();
  } else if (request.method === 'DELETE') {
    if (upload === '') objects.delete(pathname);
    uploads.delete(upload);
    response.writeHead(204).end();
  } else if (request.method === 'HEAD') head(response, pathname);
  else listing(response, searchParams);
}

function begin(request: IncomingMessage, response: ServerResponse, path: string): void {
  const id = `upload-${uploads.size + 1}-${Date.now()}`;
  uploads.set(id, { parts: new Map(), headers: metadataOf(request) });
  xml(response, 'InitiateMultipartUploadResult', `<Key>${path}</Key><UploadId>${id}</UploadId>`);
}

function complete(response: ServerResponse, path: string, id: string, text: string): void {
  const upload = uploads.get(id);
  const named = [...text.matchAll(/<PartNumber>(\d+)</g)].map(([, number]) => Number(number));
  if (upload === undefined || named.length === 0) {
    return refuse(response, 404, 'NoSuchUpload');
  }
  const bytes = named.reduce((sum, number) => sum + (upload.parts.get(number) ?? Number.NaN), 0);
  objects.set(path, { bytes, headers: upload.headers });
  uploads.delete(id);
  xml(
    response,
    'CompleteMultipartUploadResult',
    `<Key>${path}</Key><ETag>"5d41402abc4b2a76b9719d911017c592-1"</ETag>`,
  );
}

function head(response: ServerResponse, path: string): void {
  const found = objects.get(path);
  // A bucket, or the root of all.
  if (path.split('/').filter(Boolean).length < 2) response.writeHead(200).end();
  else if (found === undefined) response.writeHead(404).end();
  else
    response
      .writeHead(200, {
        ...found.headers,
        'content-length': found.bytes,
        'last-modified': new Date(0).toUTCString(),
      })
      .end();
}

function listing(response: ServerResponse, query: URLSearchParams): void {
  if (query.has('uploads'))
    xml(response, 'ListMultipartUploadsResult', '<IsTruncated>false</IsTruncated>');
  else if (query.has('location')) xml(response, 'LocationConstraint', '');
  else xml(response, 'ListBucketResult', '<IsTruncated>false</IsTruncated><KeyCount>0</KeyCount>');
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.statusCode = status;
  xml(response, 'Error', `<Code>${code}</Code>`);
}

function xml(response: ServerResponse, root: string, inside: string): void {
  response.setHeader('Content-Type', 'application/xml');
  response.end(`<?xml version="1.0" encoding="UTF-8"?><${root}>${inside}</${root}>`);
}

function metadataOf({ headers }: IncomingMessage): Stored['headers'] {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return Object.fromEntries(entries) as Stored['headers'];
}

/** @returns how many bytes of content came, without the framing of signed or trailed chunks */
async function countOf(request: IncomingMessage): Promise<number> {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await ended(request);
  const decoded = request.headers['x-amz-decoded-content-length'];
  return decoded === undefined ? bytes : Number(decoded);
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  request.setEncoding('utf8').on('data', (more: string) => (text += more));
  await ended(request);
  return text;
}

function ended(request: IncomingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    request.once('end', resolve).once('error', reject).once('aborted', reject);
  });
}
