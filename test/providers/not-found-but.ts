import type { RecordedCase } from './recorded-cases.ts';
import type { Asked, Replay } from './replaying-upstream.ts';

/** A server that knows one route only. */
export const notFoundBut =
  (path: string) =>
  (recorded: RecordedCase, asked: Asked): Replay =>
    asked.path === path ? recorded : { status: 404, contentType: 'text/plain', body: Buffer.from('Not Found') };
