import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, rmdir, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../kernel/errors.ts';

/** A file on disk that has no name any more: it is gone when it is closed, and when the process ends in whatever way. */
export type SpoolFile = Readonly<{
  /** Throws DomainError `service_unavailable` when the disk takes no more. */
  write: (bytes: Uint8Array) => Promise<void>;
  size: () => number;
  /** Of all that was written, in hex; nothing can be written after it. */
  sha256: () => string;
  read: (length?: number) => AsyncIterable<Uint8Array>;
  close: () => Promise<void>;
}>;

/** Makes such files. Throws DomainError `service_unavailable` when there is no room for another one. */
export type Spool = () => Promise<SpoolFile>;

const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EROFS', 'EFBIG']);
const PIECE = 256 * 1024;

const refused = (error: unknown): unknown =>
  error instanceof Error && 'code' in error && NO_ROOM.has(error.code)
    ? new DomainError('service_unavailable', 'there is no room for the file just now; try again', {
        retryAfterSeconds: 30,
        cause: error,
      })
    : error;

const openNameless = async (directory: string): Promise<FileHandle> => {
  await mkdir(directory, { recursive: true });
  const home = await mkdtemp(join(directory, 'upload-'));
  const path = join(home, 'file');
  try {
    const handle = await open(path, 'wx+', 0o600);
    await unlink(path).catch(async (error: unknown) => {
      await handle.close();
      throw error;
    });
    return handle;
  } finally {
    await rmdir(home);
  }
};

const readFrom = async function* (handle: FileHandle, length: number): AsyncGenerator<Uint8Array, undefined> {
  for (let position = 0; position < length;) {
    // A new piece each time: the reader may still be sending the one before.
    const { bytesRead, buffer } = await handle.read({
      buffer: Buffer.allocUnsafe(Math.min(PIECE, length - position)),
      position,
    });
    if (bytesRead === 0) return undefined;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
  return undefined;
};

const spoolFile = (handle: FileHandle): SpoolFile => {
  const hash = createHash('sha256');
  let size = 0;
  let digest: string | undefined;
  let closing: Promise<void> | undefined;
  return {
    write: async (bytes) => {
      try {
        for (let from = 0; from < bytes.length;) {
          const { bytesWritten } = await handle.write(bytes, from, bytes.length - from, size + from);
          from += bytesWritten;
        }
      } catch (error) {
        throw refused(error);
      }
      hash.update(bytes);
      size += bytes.length;
    },
    size: () => size,
    sha256: () => (digest ??= hash.digest('hex')),
    read: (length = size) => readFrom(handle, Math.min(length, size)),
    close: () => (closing ??= handle.close()),
  };
};

/** Files in this directory, which is made when it is not there. */
export const diskSpool =
  (directory: string, openFile = openNameless): Spool =>
  async () => {
    try {
      return spoolFile(await openFile(directory));
    } catch (error) {
      throw refused(error);
    }
  };
