import type { ErasureBlocked, ErasureRequested, ErasureStep } from '../../src/events/erasure/erasure.events.ts';
import type { Command } from '../../src/kernel/message.ts';

/** Begins an erasure; says nothing when one is under way or done. */
export type RequestErasure = Command<'RequestErasure', ErasureRequested['data']>;

/** Gives an erasure up that has not taken its first step; says nothing when there is none. */
export type BlockErasure = Command<'BlockErasure', ErasureBlocked['data']>;

/**
 * Notes a step that is done. Says nothing when it is noted already; refused with precondition_failed when the step before
 * it is not. Key `step:<type>:<chance>`.
 */
export type NoteErasureStep = Command<'NoteErasureStep', ErasureStep>;

export type ErasureCommand = RequestErasure | BlockErasure | NoteErasureStep;
