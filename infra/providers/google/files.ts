import { setTimeout as wait } from 'node:timers/promises';
import type { MediaFile } from '../../../src/kernel/media-upstream.ts';
import { UpstreamError } from '../../../src/kernel/upstream.ts';
import { protocolError } from '../shared/failures.ts';
import { objectOf, textOf } from '../shared/json-members.ts';
import { drained, type MediaLink } from '../shared/media-link.ts';
import { readJson } from '../shared/read-json.ts';

/** A file that Google holds. */
export type HeldFile = Readonly<{ name: string; uri: string; mediaType: string }>;

type Call = Readonly<{ requestId: string; signal: AbortSignal }>;

/** The Files API. */
export type GoogleFiles = Readonly<{
  /** Hands a file over and resolves when it can be asked about. Throws UpstreamError; nothing is left there then. */
  upload: (file: MediaFile, call: Call) => Promise<HeldFile>;
  /** Has a file removed, soon; nobody waits for it. */
  remove: (file: Pick<HeldFile, 'name'>, requestId: string) => void;
  /** Resolves when no removal is under way any more. */
  settled: () => Promise<void>;
}>;

const POLL_MS = 1_000;
/** How long a file may be worked on before it can be asked about: a long film takes minutes. */
const MOST_POLLS = 600;
const REMOVE_MS = 10_000;

/** The same path of the same API version, below `/upload`. */
const uploadPath = ({ prefix }: MediaLink): string => `${prefix.replace(/\/[^/]*$/, '/upload$&')}/files`;

/** The files of one key. */
export const googleFiles = (link: MediaLink, pollMs = POLL_MS): GoogleFiles => {
  const { provider } = link;
  const removals = new Set<Promise<unknown>>();

  const fileIn = async (answer: Awaited<ReturnType<MediaLink['send']>>): Promise<Record<string, unknown>> => {
    const json = objectOf(await readJson(provider, answer));
    return { ...objectOf(json['file'] ?? json) };
  };

  /** Where the bytes go. Only the path is taken from the answer: bytes and key go to nobody but the provider. */
  const begin = async (file: MediaFile, call: Call): Promise<string> => {
    const answer = await link.send({
      ...call,
      path: uploadPath(link),
      headers: {
        'x-goog-upload-protocol': 'resumable',
        'x-goog-upload-command': 'start',
        'x-goog-upload-header-content-length': file.size.toString(),
        'x-goog-upload-header-content-type': file.mediaType,
      },
      body: { json: { file: { display_name: call.requestId } } },
    });
    await drained(answer);
    const told = answer.headers['x-goog-upload-url'];
    if (typeof told !== 'string' || !URL.canParse(told, link.origin)) {
      throw protocolError(provider, 'it is not said where the file goes');
    }
    const { pathname, search } = new URL(told, link.origin);
    return pathname + search;
  };

  const send = async (path: string, file: MediaFile, call: Call) =>
    fileIn(
      await link.send({
        ...call,
        path,
        headers: { 'x-goog-upload-offset': '0', 'x-goog-upload-command': 'upload, finalize' },
        body: { contentType: file.mediaType, length: file.size, bytes: file.read() },
      }),
    );

  const remove: GoogleFiles['remove'] = ({ name }, requestId) => {
    const signal = AbortSignal.timeout(REMOVE_MS);
    const removal = link
      .send({ method: 'DELETE', path: `${link.prefix}/${name}`, requestId, signal })
      .then(drained)
      // The provider removes it by itself after two days.
      .catch(() => undefined)
      .finally(() => removals.delete(removal));
    removals.add(removal);
  };

  const whenActive = async (first: Record<string, unknown>, file: MediaFile, call: Call): Promise<HeldFile> => {
    const name = textOf(first['name']);
    let seen = first;
    for (let poll = 0; poll < MOST_POLLS; poll += 1) {
      const uri = textOf(seen['uri']);
      if (seen['state'] === 'ACTIVE' && uri !== '') return { name, uri, mediaType: file.mediaType };
      if (seen['state'] === 'FAILED') {
        throw new UpstreamError({ provider, kind: 'invalid_request', providerMessage: 'the file could not be read' });
      }
      await wait(pollMs, undefined, { signal: call.signal }).catch(() => undefined);
      if (call.signal.aborted) throw new UpstreamError({ provider, kind: 'aborted' });
      seen = await fileIn(await link.send({ ...call, method: 'GET', path: `${link.prefix}/${name}` }));
    }
    throw new UpstreamError({ provider, kind: 'timeout', providerMessage: 'the file was not ready in time' });
  };

  return {
    upload: async (file, call) => {
      const held = await send(await begin(file, call), file, call);
      const name = textOf(held['name']);
      if (!/^files\/[\w-]+$/.test(name)) throw protocolError(provider, 'the file has no name');
      try {
        return await whenActive(held, file, call);
      } catch (error) {
        remove({ name }, call.requestId);
        throw error;
      }
    },
    remove,
    settled: async () => {
      await Promise.all(removals);
    },
  };
};
