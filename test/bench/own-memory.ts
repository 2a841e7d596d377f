/** Says to the parent process that this one listens, and answers each message with its memory in bytes. */
export const answerMemory = (port: number): void => {
  process.on('message', () => {
    // Twice: what the first pass finishes, the second one frees.
    globalThis.gc?.();
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    process.send?.({ rss, heapUsed });
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ port });
};
