// The least that a proxy in Node can be: the body there, the bytes back. Usage: bare-proxy.ts <port> <upstream url>
import { createServer } from 'node:http';
import { Pool } from 'undici';

const pool = new Pool(process.argv[3] ?? '', { connections: null });
const server = createServer((request, response) => {
  pool
    .request({
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json' },
      body: request,
    })
    .then(
      (answer) => {
        response.writeHead(answer.statusCode, { 'content-type': String(answer.headers['content-type']) });
        answer.body.pipe(response);
      },
      () => response.writeHead(502).end(),
    );
});
server.keepAliveTimeout = 120_000;
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('ready\n'));
