/** Redis did not answer, or not in time: whether the command was carried out is unknown. */
class RedisUnavailableError extends Error {
  /** The edge knows parts that are away by the end of this name, and answers that the caller may try again. */
  readonly tag = 'RedisUnavailableError';
  constructor(cause: unknown) {
    super('redis did not carry out a command', { cause });
    this.name = 'RedisUnavailableError';
  }
}

/** Runs a command; rejects with RedisUnavailableError when it fails for whatever reason. */
export const onRedis = async <T>(command: () => Promise<T>): Promise<T> => {
  try {
    return await command();
  } catch (error) {
    throw new RedisUnavailableError(error);
  }
};
