/** Says to the parent process that this one listens, and answers each message with its memory in bytes and its CPU time in µs. */
export const answerMemory = (port: number): void => {
  process.on('message', () => {
    // Twice: what the first pass finishes, the second one frees.
    globalThis.gc?.();
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    process.send?.({ rss, heapUsed, cpu: user + system });
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ port });
};
