// A provider's double for the proxy benchmark: as many chunks as the prompt asks for, `[[n chunks]]`, each in a packet of
// its own. Usage: chunk-upstream.ts <port>
import { createServer } from 'node:http';

const MOST_CHUNKS = 4_000;
const frames = Array.from(
  { length: MOST_CHUNKS },
  (_none, index) =>
    `data: ${JSON.stringify({
      id: 'chatcmpl-bench',
      object: 'chat.completion.chunk',
      created: 1760000000,
      model: 'gpt-4.1',
      choices: [{ index: 0, delta: { content: ` word${index}` }, finish_reason: null }],
    })}\n\n`,
);
const PROMPT_TOKENS = 20;
/** A chunk is a word and its number. */
const TOKENS_A_CHUNK = 2;

const endAfter = (chunks: number): string => {
  const completion = TOKENS_A_CHUNK * chunks;
  const usage = {
    prompt_tokens: PROMPT_TOKENS,
    completion_tokens: completion,
    total_tokens: PROMPT_TOKENS + completion,
  };
  return (
    `data: ${JSON.stringify({ id: 'chatcmpl-bench', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n` +
    `data: ${JSON.stringify({ id: 'chatcmpl-bench', choices: [], usage })}\n\ndata: [DONE]\n\n`
  );
};

const chunksIn = (body: string): number =>
  Math.min(MOST_CHUNKS, Number(/\[\[(\d+) chunks\]\]/.exec(body)?.[1] ?? MOST_CHUNKS));

const server = createServer((request, response) => {
  if (request.url !== '/v1/chat/completions') {
    request.resume();
    response.writeHead(404).end();
    return;
  }
  let body = '';
  request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
  request.on('end', () => {
    const chunks = chunksIn(body);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let sent = 0;
    const next = (): void => {
      if (sent === chunks) {
        response.end(endAfter(chunks));
        return;
      }
      response.write(frames[sent] ?? '');
      sent += 1;
      setImmediate(next);
    };
    next();
  });
});
server.keepAliveTimeout = 120_000;
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('ready\n'));
