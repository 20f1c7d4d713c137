type Fields = { readonly [name: string]: unknown };

/** Structured logging: the message is a fixed lower-case phrase, everything that varies is a field. */
export interface Logger {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  /** For what somebody must act on. */
  error(fields: Fields, message: string): void;
}
