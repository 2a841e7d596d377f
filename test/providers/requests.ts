import { expect } from 'chai';
import type { Codec } from '../../infra/providers/shared/codec.ts';
import { chatBody } from '../../src/http/routes/llm/chat-body.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import type { ChatMessage, ImagePart, Part, Tool, UpstreamRequest } from '../../src/kernel/upstream.ts';

export const say = (role: 'system' | 'developer' | 'user', ...parts: readonly Part[]): ChatMessage => ({ role, parts });

export const text = (words: string): Part => ({ type: 'text', text: words });

export const picture: ImagePart = { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'QUJD' } };

export const paper: Part = {
  type: 'document',
  source: { kind: 'base64', mediaType: 'application/pdf', data: 'QUJD' },
  fileName: 'plan.pdf',
};

export const tool: Tool = { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } };

/** Two calls, the second without arguments. */
export const called: ChatMessage = {
  role: 'assistant',
  parts: [text('Let me look.')],
  toolCalls: [
    { id: 'call_1', name: 'look', arguments: '{"at":1}' },
    { id: 'call_2', name: 'look', arguments: '' },
  ],
};

export const result: ChatMessage = { role: 'tool', toolCallId: 'call_1', parts: [text('A potato.')] };

/** A conversation with everything in it. */
export const conversation: readonly ChatMessage[] = [
  say('system', text('Be brief.'), text('Be kind.')),
  say('developer', text('Use tools.')),
  say('user', text('What is it?'), picture, paper),
  called,
  result,
  { role: 'tool', toolCallId: 'call_2', parts: [text('{"kind":"beet"}')] },
  say('user', text('And?')),
];

/** The body as it goes over the wire, when the request passes the check. */
export const sent = (codec: Codec, request: UpstreamRequest, stream: boolean): Record<string, unknown> => {
  codec.check?.(request);
  return JSON.parse(JSON.stringify(codec.encode(request, stream))) as Record<string, unknown>;
};

/** Why a request is refused, which must name a member that bodies have; undefined when it is not. */
export const refused = (codec: Codec, request: UpstreamRequest): string | undefined => {
  try {
    codec.check?.(request);
    return undefined;
  } catch (error) {
    if (!isDomainError(error) || error.errorType !== 'validation_error') throw error;
    const [member] = String(error.details?.['param']).split('.');
    expect(Object.keys(chatBody.shape)).to.include(member);
    return error.message;
  }
};
