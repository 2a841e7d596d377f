import type { CallOptions, UpstreamEvent } from './upstream.ts';

/** A file that a caller sent. Its bytes are not in memory. */
export type MediaFile = Readonly<{
  /** As the caller named it; '' when it has no name. */
  name: string;
  /** As the caller told it, parameters included; '' when it was not told. */
  mediaType: string;
  /** Bytes. */
  size: number;
  /** In hex. */
  sha256: string;
  /** The bytes from the beginning, as often as they are asked for; at most `length` of them when given. */
  read: (length?: number) => AsyncIterable<Uint8Array>;
}>;

/** A form that has arrived. */
export type MediaForm = Readonly<{
  /** Undefined when it was not sent. */
  file: MediaFile | undefined;
  /** The other fields that were sent. */
  texts: Readonly<Record<string, string>>;
}>;

type Addressed = Readonly<{
  requestId: string;
  /** The provider's own name of the model. */
  model: string;
  file: MediaFile;
  /** Requests with the same are best sent with the same key. Never sent itself. */
  affinity?: string;
}>;

/** Speech to be turned into text. */
export type TranscriptionRequest = Addressed &
  Readonly<{
    /** Two or three letters. */
    language?: string;
    /** Words that are likely to occur. */
    prompt?: string;
    temperature?: number;
    /** How long the sound is, as far as that is known. */
    seconds: number;
    /** True when the text is wanted piece by piece. */
    stream: boolean;
  }>;

/** A question about a film. */
export type VideoRequest = Addressed &
  Readonly<{
    prompt: string;
    system?: string;
    temperature: number;
    /** Pictures that the model looks at, for each second. */
    framesPerSecond: number;
  }>;

/**
 * A call to a provider. Resolves when the provider has accepted the request; the batches are those of a chat model's
 * answer. Leaving the loop or aborting the signal cancels the request. Every failure is an UpstreamError.
 */
type Call<Request> = (request: Request, options: CallOptions) => Promise<AsyncIterable<readonly UpstreamEvent[]>>;

/** The port to a provider that turns speech into text. */
export type TranscriptionUpstream = Readonly<{
  provider: string;
  /** Bytes of the largest file that it takes. */
  mostBytes: number;
  transcribe: Call<TranscriptionRequest>;
  close: () => Promise<void>;
}>;

/** The port to a provider that looks at films. */
export type VideoUpstream = Readonly<{
  provider: string;
  analyze: Call<VideoRequest>;
  close: () => Promise<void>;
}>;
