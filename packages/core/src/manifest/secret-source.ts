/** A secret as the manifest meets it. */
export interface FoundSecret {
  readonly value: string;
  /** Who may use it: ids of instances, `pipeline:<id>` for a pipeline's steps, `host:<section>` for the host itself; `*` for all. */
  readonly grants: readonly string[];
}

/** What a store gives once it is open. */
export interface OpenSecrets {
  /** All names, sorted: for "did you mean". */
  readonly names: readonly string[];
  find(name: string): FoundSecret | undefined;
}

/** Where `${secret:name}` comes from. It is opened at most once for each reading of a manifest, and only when that names a secret. */
export interface SecretSource {
  /** Absolute paths of the files whose contents decide what it gives; a change of one is a change of the manifest. */
  readonly files: readonly string[];
  /**
   * @throws OctoError `OCTO_SECRETS_SEALED` when the master key is missing: what needs a secret waits, the rest goes on;
   * `OCTO_SECRETS_*` for a store that is damaged, rolled back or closed with another key
   */
  open(): Promise<OpenSecrets>;
}
