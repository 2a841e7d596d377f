import type { Command } from '../../src/kernel/message.ts';
import type { Seal } from '../../src/kernel/seal.ts';

/**
 * Adds the next seal. The key is another one at each attempt: two instances that seal the same batch do so at different
 * times, and one's seal must not pass for the other's.
 */
export type SealBatch = Command<'SealBatch', Seal>;
