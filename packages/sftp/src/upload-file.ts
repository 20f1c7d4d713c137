/** Writes a small file whole: a request, not a delivery. Larger ones would want a window, as reading has. */
import type { SftpConnection } from './sftp-connection.ts';

/**
 * Puts the bytes at the path, in place of what is there, and resolves when the server has closed the file: then it has
 * taken all of them. After an error it is not known how much of the file is there.
 * @throws PluginError `auth` with code `PERMISSION_DENIED`, `provider_down` with code `NO_SPACE`, …
 */
export async function uploadFile(
  connection: SftpConnection,
  path: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const handle = await connection.ask<Buffer>(
    {
      doing: 'create',
      path,
      ask: (sftp, answer) => sftp.open(path, 'w', answer),
      tooLate: (late) => void connection.close(late, path),
    },
    signal,
  );
  try {
    for (let from = 0; from < content.length; from += WRITE_BYTES) {
      const length = Math.min(WRITE_BYTES, content.length - from);
      await connection.ask<void>(
        {
          doing: 'write',
          path,
          ask: (sftp, answer) =>
            sftp.write(handle, content, from, length, from, (error) => answer(error ?? undefined)),
        },
        signal,
      );
    }
  } catch (error) {
    const closing = connection.close(handle, path);
    // Who aborts does not want to wait for a server that may be silent.
    if (!signal.aborted) await closing;
    throw error;
  }
  // What a server refuses late, such as a full disk, it says here.
  await connection.ask<void>(
    {
      doing: 'finish',
      path,
      ask: (sftp, answer) => sftp.close(handle, (error) => answer(error ?? undefined)),
    },
    signal,
  );
}

/** Every server takes so much in one write. draft-ietf-secsh-filexfer-02, section 3 */
const WRITE_BYTES = 32 * 1024;
