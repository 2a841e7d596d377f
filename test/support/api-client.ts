import { expect } from 'chai';
import { createParser } from 'eventsource-parser';

/** A server-sent event as a client reads it. */
export type Frame = Readonly<{ event: string | undefined; id: string | undefined; data: unknown }>;

/** The frames of a whole body. `[DONE]` and other texts that are no JSON stay texts. */
export const framesOf = (text: string): readonly Frame[] => {
  const frames: Frame[] = [];
  const parser = createParser({
    onEvent: ({ event, id, data }) => {
      let parsed: unknown = data;
      try {
        parsed = JSON.parse(data);
      } catch {
        // A text.
      }
      frames.push({ event, id, data: parsed });
    },
  });
  parser.feed(text);
  return frames;
};

type Json = Readonly<Record<string, unknown>>;

/** A signed-in client of one server. */
export const apiClient = (url: string, token: string, headers: Readonly<Record<string, string>> = {}) => {
  const call = (method: string, path: string, body?: unknown, extra: Readonly<Record<string, string>> = {}) =>
    fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
        ...extra,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  /** The body of a successful GET. */
  const get = async <T = Json>(path: string): Promise<T> => {
    const response = await call('GET', path);
    const text = await response.text();
    expect(response.status, `${path}: ${text}`).to.equal(200);
    return JSON.parse(text) as T;
  };

  const completion = (content: string, more: Json = {}) =>
    call('POST', '/api/llm/chat/completions', {
      model: 'sandbox/echo',
      messages: [{ role: 'user', content }],
      max_tokens: 100,
      ...more,
    });

  /** The user's own events so far, from the event stream. */
  const events = async (enough: (frames: readonly Frame[]) => boolean): Promise<readonly Frame[]> => {
    const response = await fetch(`${url}/ws/events?position=0`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
      signal: AbortSignal.timeout(20_000),
    });
    expect(response.status).to.equal(200);
    if (response.body === null) throw new Error('an event stream has a body');
    const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
    const decoder = new TextDecoder();
    for (let text = ''; ;) {
      const { done, value } = await reader.read();
      if (done) throw new Error('the event stream ended');
      text += decoder.decode(value, { stream: true });
      const frames = framesOf(text);
      if (!enough(frames)) continue;
      await reader.cancel();
      return frames;
    }
  };

  return { call, get, completion, events };
};

export type ApiClient = ReturnType<typeof apiClient>;
