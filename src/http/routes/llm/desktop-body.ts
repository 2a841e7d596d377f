import { z } from 'zod';
import type { CompletionOrder } from '../../../../commands/completions/completion-order.ts';
import { chatBody, orderOf } from './chat-body.ts';
import { asksFor, declined, declining, none, only, onlyEmpty, type Declined } from './declined-members.ts';
import { generationConfig, withGenerationConfig } from './generation-config.ts';

const LEAVE_OUT = 'leave it out';

/** What others have of these, and the words of this endpoint for what it has itself. */
const DECLINED = {
  ...declined,
  min_p: only(LEAVE_OUT, 0),
  plugins: onlyEmpty(),
  repetition_penalty: only(LEAVE_OUT, 1),
  thinking: none("use 'reasoning'"),
  top_a: only(LEAVE_OUT, 0),
  web_search_options: none("use 'task_type'"),
};

const checked = <K extends string>(members: Readonly<Record<K, Declined>>) =>
  Object.fromEntries(
    Object.entries<Declined>(members).map(([name, member]) => [
      name,
      z
        .unknown()
        .refine((value) => !asksFor(member, value), declining(member))
        .optional(),
    ]),
  ) as Record<K, z.ZodOptional<z.ZodUnknown>>;

/**
 * The body of a chat request as the desktop and its like send it. Members that nobody knows mean nothing; those that are
 * known elsewhere are refused unless they ask for nothing.
 */
export const desktopBody = chatBody.extend({
  ...checked(DECLINED),
  generationConfig,
});

/** What such a body orders, in no provider's words. Throws DomainError `validation_error`. */
export const desktopOrderOf = (userId: string, body: z.infer<typeof desktopBody>): CompletionOrder =>
  orderOf(userId, withGenerationConfig(body, body.generationConfig));
