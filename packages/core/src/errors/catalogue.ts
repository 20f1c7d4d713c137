/** Every code of the host's own errors. `docs/errors.md` explains each; a test compares the two. */
export const errorCatalogue = {
  OCTO_MANIFEST_NOT_FOUND: 'the manifest file does not exist or cannot be read',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof errorCatalogue;
