import { DomainError } from '../../../src/kernel/errors.ts';
import type { ChatMessage, Part, UpstreamRequest } from '../../../src/kernel/upstream.ts';
import type { JsonObject } from './json-members.ts';

/** Refuses what a provider cannot do with a member of the body. `detail` names it and the way out. */
export const refuse = (param: string, detail: string): never => {
  throw new DomainError('validation_error', detail, { details: { param, code: 'unsupported_value' } });
};

/** One thing that a provider cannot do: whether a request asks for it, by which member, and what to tell then. */
export type Limit = readonly [asks: boolean, param: string, detail: string];

/** Refuses the first thing that is asked for. */
export const refuseFirst = (limits: readonly Limit[]): void => {
  const asked = limits.find(([asks]) => asks);
  if (asked !== undefined) refuse(asked[1], asked[2]);
};

/** For providers that show what they thought, or nothing of it: how short it is told is not to be chosen. */
export const summaryLimit = (provider: string, { reasoning }: UpstreamRequest): Limit => [
  reasoning?.summary !== undefined && reasoning.summary !== 'auto',
  'reasoning.summary',
  `${provider} cannot choose how reasoning is summed up; leave reasoning.summary out or send 'auto'`,
];

/** True for a number that says more than the default of nothing. */
export const isSet = (value: number | undefined): boolean => value !== undefined && value !== 0;

/** All pieces of the messages of some roles. */
export const partsOf = (request: UpstreamRequest, ...roles: readonly ChatMessage['role'][]): readonly Part[] =>
  request.messages.flatMap(({ role, parts }) => (roles.length === 0 || roles.includes(role) ? parts : []));

/** True when one of the pieces is no text. */
export const hasMedia = (parts: readonly Part[]): boolean => parts.some(({ type }) => type !== 'text');

/** True when a piece is a file that a provider is to hold already. */
export const hasFiles = (parts: readonly Part[]): boolean =>
  parts.some((part) => part.type !== 'text' && part.source.kind === 'file');

/** True when a picture asks for a resolution of its own. */
export const hasDetail = (parts: readonly Part[]): boolean =>
  parts.some((part) => part.type === 'image' && part.detail !== undefined && part.detail !== 'auto');

/** The texts of a message, a line each. */
export const textsOf = (parts: readonly Part[]): string =>
  parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n');

/** The arguments of an earlier call as an object. Throws DomainError when they are none. */
export const argumentsOf = (name: string, text: string): JsonObject => {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // Told below, like any other text that is no object.
  }
  return refuse('messages', `the arguments of the call of ${name.slice(0, 100)} are not a JSON object`);
};
