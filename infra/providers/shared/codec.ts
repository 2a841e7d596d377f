import type { UpstreamEvent, UpstreamRequest } from '../../../src/kernel/upstream.ts';
import type { StreamDecoder } from './event-batches.ts';

/** One provider's language: how a request is written and how its answers are read. */
export type Codec = Readonly<{
  /** Behind the base URL, with a leading slash. */
  path: string | ((request: UpstreamRequest, stream: boolean) => string);
  /** Headers besides the provider's own. */
  headers?: (request: UpstreamRequest) => Readonly<Record<string, string>>;
  /** Throws DomainError `validation_error` for what cannot be said in this language. */
  check?: (request: UpstreamRequest) => void;
  /** The JSON body. */
  encode: (request: UpstreamRequest, stream: boolean) => unknown;
  decoder: (provider: string) => StreamDecoder;
  /** The events of an answer that came at once. Throws UpstreamError. */
  decode: (provider: string, json: unknown) => readonly UpstreamEvent[];
}>;
