/** Uploads in progress, page after page. */
import type { ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';

export interface ListedUpload {
  readonly key: string;
  readonly id: string;
  readonly startedMs: number;
}

interface Marker {
  readonly KeyMarker?: string;
  readonly UploadIdMarker?: string;
}

/** @param pageAfter asks for one page, with its keys encoded as in a URL */
export async function* listUploads(
  pageAfter: (marker: Marker) => Promise<ListMultipartUploadsCommandOutput>,
): AsyncGenerator<ListedUpload> {
  let marker: Marker | undefined = {};
  while (marker !== undefined) {
    const page: ListMultipartUploadsCommandOutput = await pageAfter(marker);
    for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? []) {
      yield { key: urlDecoded(Key), id: UploadId, startedMs: Initiated?.getTime() ?? 0 };
    }
    marker = page.IsTruncated === true ? markerAfter(page) : undefined;
  }
}

function markerAfter(page: ListMultipartUploadsCommandOutput): Marker {
  return {
    KeyMarker: urlDecoded(page.NextKeyMarker ?? ''),
    ...(page.NextUploadIdMarker !== undefined && { UploadIdMarker: page.NextUploadIdMarker }),
  };
}

/** S3 writes a space as a plus. */
function urlDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
