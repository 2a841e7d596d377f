import type { Middleware, ParameterizedContext } from 'koa';
import type { ErrorType } from '../kernel/errors.ts';
import type { Caller } from './endpoint.ts';

/** What the edge knows of one request while it is on its way. */
export type EdgeState = {
  requestId: string;
  ip: string;
  /** Aborts when the client has gone before the answer was complete. */
  gone: AbortSignal;
  /** The path pattern that answers; undefined when none does. */
  route?: string;
  caller?: Caller;
  /** Gives up what the call has put on disk and into memory, once it is not needed any more. */
  discard?: () => void;
  /** The type of the error that was answered. */
  errorType?: ErrorType;
  /** The answer had begun when it failed, so that the connection was cut. */
  broken?: boolean;
};

export type EdgeContext = ParameterizedContext<EdgeState>;
export type EdgeMiddleware = Middleware<EdgeState>;
