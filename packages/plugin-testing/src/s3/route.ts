/** Which operation a request asks for, what it does, and which permission it needs. */
import { createBucket, headBucket, listBuckets, listObjectsV2 } from './bucket-operations.ts';
import { completeMultipartUpload } from './complete-multipart-upload.ts';
import {
  abortMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
} from './multipart-operations.ts';
import {
  deleteObject,
  getObject,
  getObjectTagging,
  headObject,
  putObject,
  putObjectTagging,
} from './object-operations.ts';
import type { Answer, Call } from './s3-call.ts';
import { S3Error } from './s3-error.ts';
import type { S3Operation } from './s3-faults.ts';
import type { S3Request } from './s3-request.ts';

export interface Route {
  /** docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
  readonly permission: string;
  readonly handle: (call: Call) => Promise<Answer>;
}

export const ROUTES: { readonly [O in S3Operation]: Route } = {
  AbortMultipartUpload: { permission: 's3:AbortMultipartUpload', handle: abortMultipartUpload },
  CompleteMultipartUpload: { permission: 's3:PutObject', handle: completeMultipartUpload },
  CreateBucket: { permission: 's3:CreateBucket', handle: createBucket },
  CreateMultipartUpload: { permission: 's3:PutObject', handle: createMultipartUpload },
  DeleteObject: { permission: 's3:DeleteObject', handle: deleteObject },
  GetObject: { permission: 's3:GetObject', handle: getObject },
  GetObjectTagging: { permission: 's3:GetObjectTagging', handle: getObjectTagging },
  HeadBucket: { permission: 's3:ListBucket', handle: headBucket },
  HeadObject: { permission: 's3:GetObject', handle: headObject },
  ListBuckets: { permission: 's3:ListAllMyBuckets', handle: listBuckets },
  ListMultipartUploads: {
    permission: 's3:ListBucketMultipartUploads',
    handle: listMultipartUploads,
  },
  ListObjectsV2: { permission: 's3:ListBucket', handle: listObjectsV2 },
  ListParts: { permission: 's3:ListMultipartUploadParts', handle: listParts },
  PutObject: { permission: 's3:PutObject', handle: putObject },
  PutObjectTagging: { permission: 's3:PutObjectTagging', handle: putObjectTagging },
  UploadPart: { permission: 's3:PutObject', handle: uploadPart },
};

/** @throws S3Error NotImplemented, MethodNotAllowed */
export function operationOf(request: S3Request): S3Operation {
  const { method, bucket, key, query } = request;
  if (request.headers['x-amz-copy-source'] !== undefined) throw notImplemented();
  const operation =
    bucket === undefined
      ? serviceOperation(method)
      : key === undefined
        ? bucketOperation(method, query)
        : objectOperation(method, query);
  if (operation !== undefined) return operation;
  throw new S3Error(
    405,
    'MethodNotAllowed',
    'The specified method is not allowed against this resource.',
  );
}

type Query = ReadonlyMap<string, string>;

function serviceOperation(method: string): S3Operation | undefined {
  return method === 'GET' ? 'ListBuckets' : undefined;
}

function bucketOperation(method: string, query: Query): S3Operation | undefined {
  if (method === 'HEAD') return 'HeadBucket';
  if (method === 'PUT' && query.size === 0) return 'CreateBucket';
  if (method !== 'GET') throw notImplemented();
  if (query.has('uploads')) return 'ListMultipartUploads';
  if (query.get('list-type') === '2') return 'ListObjectsV2';
  throw notImplemented();
}

function objectOperation(method: string, query: Query): S3Operation | undefined {
  if (query.has('tagging')) {
    if (method === 'PUT') return 'PutObjectTagging';
    return method === 'GET' ? 'GetObjectTagging' : undefined;
  }
  if (query.has('uploads')) return method === 'POST' ? 'CreateMultipartUpload' : undefined;
  if (query.has('uploadId')) return UPLOAD_METHODS.get(method);
  return OBJECT_METHODS.get(method);
}

const UPLOAD_METHODS: ReadonlyMap<string, S3Operation> = new Map([
  ['PUT', 'UploadPart'],
  ['POST', 'CompleteMultipartUpload'],
  ['DELETE', 'AbortMultipartUpload'],
  ['GET', 'ListParts'],
]);
const OBJECT_METHODS: ReadonlyMap<string, S3Operation> = new Map([
  ['PUT', 'PutObject'],
  ['GET', 'GetObject'],
  ['HEAD', 'HeadObject'],
  ['DELETE', 'DeleteObject'],
]);

function notImplemented(): S3Error {
  return new S3Error(
    501,
    'NotImplemented',
    'A header or query you provided implies functionality that is not implemented.',
  );
}
