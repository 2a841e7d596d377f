/** What the launcher needs of a pino logger. */
export type Log = Readonly<{
  info: (fields: object, message: string) => void;
  warn: (fields: object, message: string) => void;
}>;

/** For callers that want no words. */
export const silent: Log = { info: () => undefined, warn: () => undefined };
