import { z } from 'zod';
import { refuseHostile } from '../../http/json-body.ts';
import { desktopBody } from '../../http/routes/llm/desktop-body.ts';
import { validated } from '../../http/validation.ts';
import { DomainError } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';

const name = /^[\x21-\x7e]{1,64}$/;

/** The client's own name for one stream of its socket. */
const id = z.string().regex(name, 'must be 1 to 64 printable characters without spaces');

const requestId = z
  .string()
  .refine(isUuid, 'must be a UUID')
  .transform((text) => text.toLowerCase());

/** The body of POST /api/llm/chat/completions, with its name for the wish. */
const request = desktopBody.extend({ request_id: z.string().nullish() });

/** Positions are of one request: another one that was begun with the same key has said other things. */
const resume = z
  .object({
    type: z.literal('resume'),
    id,
    requestId: requestId.optional(),
    key: z.string().optional(),
    after: z.int().min(0).default(0),
  })
  .refine(({ requestId: request, key }) => (request === undefined) !== (key === undefined), {
    path: ['requestId'],
    message: 'name what to resume by its requestId or by its key',
  })
  .refine(({ key, after }) => key === undefined || after === 0, {
    path: ['after'],
    message: 'needs a requestId',
  });

const message = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), id, key: z.string().optional(), request }),
  resume,
  z.object({ type: z.literal('cancel'), id }),
  z.object({ type: z.literal('ping') }),
]);

export type ClientMessage = z.infer<typeof message>;
export type Start = Extract<ClientMessage, { type: 'start' }>;
export type Resume = Extract<ClientMessage, { type: 'resume' }>;

/** A frame that came in: its message, or what is wrong with it and whom that concerns. */
export type Read = Readonly<{ message: ClientMessage }> | Readonly<{ refusal: unknown; id: string | undefined }>;

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new DomainError('bad_request', 'a message must be one JSON object in a text frame');
  }
};

const idOf = (value: unknown): string | undefined => {
  const given = (value as Readonly<{ id?: unknown }> | null | undefined)?.id;
  return typeof given === 'string' && name.test(given) ? given : undefined;
};

/** Reads a text frame; never throws. */
export const readMessage = (text: string): Read => {
  let value: unknown;
  try {
    value = jsonOf(text);
    refuseHostile(value, true);
    return { message: validated('body', message, value) };
  } catch (refusal) {
    return { refusal, id: idOf(value) };
  }
};
