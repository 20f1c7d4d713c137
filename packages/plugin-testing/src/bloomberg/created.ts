import type { RestAnswer } from './rest-call.ts';

/** The answer to a POST that made something. @param what `request`, `universe` … @param path where it is now */
export function created(path: string, what: string, identifier: string): RestAnswer {
  const body = {
    '@type': 'Status',
    statusCode: 201,
    title: 'Created',
    description: `The ${what} has been created.`,
    [what]: { '@id': path, identifier },
  };
  return { status: 201, headers: { location: path }, body };
}
