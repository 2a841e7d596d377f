/** The literal `type` of an error of the client; undefined for every other error. */
export const errorType = (error: unknown): string | undefined =>
  error instanceof Error && 'type' in error && typeof error.type === 'string' ? error.type : undefined;
