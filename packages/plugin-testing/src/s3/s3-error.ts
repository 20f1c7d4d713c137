/** An error answer of S3: status, code, message, and further elements of its XML. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: { readonly [element: string]: string };

  constructor(
    status: number,
    code: string,
    message: string,
    details: { readonly [element: string]: string } = {},
  ) {
    super(message);
    this.name = 'S3Error';
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

export function noSuchKey(key: string): S3Error {
  return new S3Error(404, 'NoSuchKey', 'The specified key does not exist.', { Key: key });
}

export function noSuchUpload(id: string): S3Error {
  return new S3Error(
    404,
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { UploadId: id },
  );
}

export function badDigest(what: string): S3Error {
  return new S3Error(400, 'BadDigest', `The ${what} you specified did not match what we received.`);
}
