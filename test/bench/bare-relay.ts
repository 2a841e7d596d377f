// The least that a relay can do: hands each message to the other socket of its pair. Prints its port, and its memory when
// asked.
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { answerMemory } from './own-memory.ts';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 32 * 1024 * 1024 });
const waiting = new Map<string, WebSocket>();

server.on('connection', (socket, request) => {
  const pair = request.url ?? '';
  const peer = waiting.get(pair);
  if (peer === undefined) {
    waiting.set(pair, socket);
    return;
  }
  waiting.delete(pair);
  socket.on('message', (data: Buffer, isBinary) => peer.send(data, { binary: isBinary }));
  peer.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on('listening', () => answerMemory((server.address() as AddressInfo).port));
