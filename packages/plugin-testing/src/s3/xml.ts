/** As much XML as S3 speaks: elements and text, no attributes but `xmlns`, no mixed content. */
import { S3Error } from './s3-error.ts';

/** What an element holds: text, child elements, the same element several times, or nothing. */
export type XmlValue = string | number | boolean | undefined | XmlElements | readonly XmlValue[];
export interface XmlElements {
  readonly [name: string]: XmlValue;
}

/** A whole document. Undefined members are left out, an array repeats its element. */
export function xmlDocument(root: string, content: XmlElements): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner(content)}</${root}>`;
}

function inner(content: XmlElements): string {
  return Object.entries(content)
    .map(([name, value]) => element(name, value))
    .join('');
}

function element(name: string, value: XmlValue): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((item) => element(name, item as XmlValue)).join('');
  const text = typeof value === 'object' ? inner(value as XmlElements) : escapeXml(String(value));
  return `<${name}>${text}</${name}>`;
}

function escapeXml(text: string): string {
  // A bare carriage return would come back as a line feed.
  return text.replaceAll(/[&<>"\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

export interface XmlNode {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlNode[];
}

/** Parses a request's document. @throws S3Error MalformedXML */
export function parseXml(source: string): XmlNode {
  const root = { name: '', text: '', children: [] as XmlNode[] };
  const open = [root];
  let end = 0;
  for (const tag of source.matchAll(/<(\/?)([\w:.-]+|\?[^>]*|![^>]*)([^>]*?)(\/?)>/g)) {
    const top = open.at(-1) as typeof root;
    top.text += unescapeXml(source.slice(end, tag.index));
    end = tag.index + tag[0].length;
    const name = tag[2] as string;
    if (name.startsWith('?')) continue;
    if (name.startsWith('!')) throw malformed();
    if (tag[1] === '/') {
      if (top.name !== name || open.length === 1) throw malformed();
      open.pop();
      continue;
    }
    const node = { name, text: '', children: [] as XmlNode[] };
    top.children.push(node);
    if (tag[4] !== '/') open.push(node);
  }
  const document = root.children[0];
  if (open.length !== 1 || document === undefined || root.children.length !== 1) throw malformed();
  return document;
}

/** The text of a child element. */
export function childText(node: XmlNode, name: string): string | undefined {
  return node.children.find((child) => child.name === name)?.text.trim();
}

export function malformed(): S3Error {
  return new S3Error(
    400,
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}

const ENTITIES: { readonly [name: string]: string } = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function unescapeXml(text: string): string {
  return text.replaceAll(/&(#x[0-9a-fA-F]+|#\d+|\w+);/g, (_, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)));
    const found = ENTITIES[name];
    if (found === undefined) throw malformed();
    return found;
  });
}
