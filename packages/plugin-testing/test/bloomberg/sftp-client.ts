/** A client of the loopback SFTP account: the few verbs that Bloomberg's customers use. */
import ssh2, { type SFTPWrapper } from 'ssh2';
import type { BloombergSftp } from '../../src/index.ts';

export interface SftpClient extends AsyncDisposable {
  upload(name: string, text: string): Promise<void>;
  download(name: string): Promise<Buffer>;
  /** Name and size. */
  list(): Promise<{ readonly [name: string]: number }>;
  delete(name: string): Promise<void>;
}

export async function login({
  host,
  password,
  port,
  username,
}: Pick<BloombergSftp, 'host' | 'password' | 'port' | 'username'>): Promise<SftpClient> {
  const client = new ssh2.Client();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.once('ready', resolve).on('error', reject).connect({ host, password, port, username });
  await promise;
  client.setNoDelay(true);
  const sftp = await done<SFTPWrapper>((end) => client.sftp(end));
  return {
    upload: (name, text) => done((end) => sftp.writeFile(`/${name}`, text, end)),
    download: (name) => done<Buffer>((end) => sftp.readFile(`/${name}`, end)),
    async list() {
      const entries = await done<{ filename: string; attrs: { size: number } }[]>((end) =>
        sftp.readdir('/', end),
      );
      return Object.fromEntries(entries.map(({ attrs, filename }) => [filename, attrs.size]));
    },
    delete: (name) => done((end) => sftp.unlink(`/${name}`, end)),
    async [Symbol.asyncDispose]() {
      client.destroy();
    },
  };
}

function done<T = void>(
  start: (end: (error?: Error | null, value?: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error instanceof Error) reject(error);
      else resolve(value as T);
    });
  });
}
