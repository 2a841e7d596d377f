/** Waits for statements that were sent together; throws what the first failing one said, and only when all are answered. */
export const flight = async <T extends readonly Promise<unknown>[]>(
  ...sent: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> => {
  await Promise.allSettled(sent);
  return Promise.all(sent);
};
