/** Tags of objects: at most ten, short, of few characters. docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
import { S3Error } from './s3-error.ts';
import type { Headers } from './s3-store.ts';
import { childText, malformed, parseXml, xmlDocument } from './xml.ts';

/** Parses `x-amz-tagging`. @throws S3Error InvalidTag, BadRequest */
export function tagsOfHeader(header: string | undefined): Headers {
  return checkedTags([...new URLSearchParams(header ?? '')]);
}

/** Parses a Tagging document. @throws S3Error MalformedXML, InvalidTag, BadRequest */
export function tagsOfXml(source: string): Headers {
  const set = parseXml(source).children.find((child) => child.name === 'TagSet');
  if (set === undefined) throw malformed();
  return checkedTags(
    set.children.map((tag) => [childText(tag, 'Key') ?? '', childText(tag, 'Value') ?? '']),
  );
}

export function tagsToXml(tags: Headers): string {
  const Tag = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return xmlDocument('Tagging', { TagSet: { Tag } });
}

function checkedTags(pairs: readonly (readonly [string, string])[]): Headers {
  if (pairs.length > 10) {
    throw new S3Error(400, 'BadRequest', 'Object tags cannot be greater than 10');
  }
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) {
    throw new S3Error(400, 'InvalidTag', 'Cannot provide multiple Tags with the same key');
  }
  for (const [name, value] of pairs) {
    if (!fits(name, 1, 128))
      throw new S3Error(400, 'InvalidTag', 'The TagKey you have provided is invalid');
    if (!fits(value, 0, 256))
      throw new S3Error(400, 'InvalidTag', 'The TagValue you have provided is invalid');
  }
  return Object.fromEntries(pairs);
}

function fits(text: string, min: number, max: number): boolean {
  return text.length >= min && text.length <= max && /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(text);
}
