/** Resolves when the work is done, or after `limitMs` although it is not. Rejects when the work does so in time. */
export const within = async (work: Promise<unknown>, limitMs: number): Promise<void> => {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), limitMs);
  await Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
};
