import type { Provider, RemoteFile, Session } from '@octo/plugin-api';

/** A vendor with an empty place, and a provider for it. */
export interface ProviderUnderTest extends AsyncDisposable {
  /** Created, not started. The suite starts and disposes it. */
  readonly provider: Provider;
  /** The vendor publishes a complete file, over one of the same name if there is one. */
  place(file: VendorFile): Promise<void>;
  /** The vendor takes a file away. */
  remove?(name: string): Promise<void>;
}

export interface VendorFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Milliseconds since the Unix epoch, whole seconds. */
  readonly mtimeMs: number;
}

export type OpenProvider = () => Promise<ProviderUnderTest>;

/** A moment at which every vendor can say that a file was published. */
const PUBLISHED_MS = Date.UTC(2026, 0, 31, 3, 0, 0);

/** A started provider, with a session, and the vendor behind it; disposes all of them. */
export class ProviderBench implements AsyncDisposable {
  readonly vendor: ProviderUnderTest;
  readonly provider: Provider;
  readonly session: Session;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(vendor: ProviderUnderTest, session: Session, cleanup: AsyncDisposableStack) {
    this.vendor = vendor;
    this.provider = vendor.provider;
    this.session = session;
    this.#cleanup = cleanup;
  }

  static async open(open: OpenProvider, signal: AbortSignal): Promise<ProviderBench> {
    await using cleanup = new AsyncDisposableStack();
    const vendor = cleanup.use(await open());
    cleanup.defer(async () => vendor.provider[Symbol.asyncDispose]?.());
    await vendor.provider.start?.(signal);
    const session = cleanup.use(await vendor.provider.connect(signal));
    return new ProviderBench(vendor, session, cleanup.move());
  }

  /** One more session, disposed with the bench. */
  async connect(signal: AbortSignal): Promise<Session> {
    return this.#cleanup.use(await this.provider.connect(signal));
  }

  /** Publishes a file; a larger `version` is published later. */
  async publish(name: string, bytes: Uint8Array, version = 0): Promise<void> {
    await this.vendor.place({ name, bytes, mtimeMs: PUBLISHED_MS + version * 60_000 });
  }

  /** Publishes a file and finds it in the listing. */
  async published(name: string, bytes: Uint8Array, signal: AbortSignal): Promise<RemoteFile> {
    await this.publish(name, bytes);
    const found = (await this.list(signal)).find((file) => file.name === name);
    if (!found) throw new Error(`'${name}' was published and is not listed`);
    return found;
  }

  async list(signal: AbortSignal): Promise<RemoteFile[]> {
    return Array.fromAsync(this.session.list(signal));
  }

  async read(file: RemoteFile, offset: number, signal: AbortSignal): Promise<Buffer> {
    return Buffer.concat(await Array.fromAsync(this.session.read(file, { offset }, signal)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

/** What makes one version of a file. */
export function versionOf(file: RemoteFile | undefined): unknown {
  return file && { path: file.path, name: file.name, size: file.size, mtimeMs: file.mtimeMs };
}
