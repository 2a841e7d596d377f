import type { z } from 'zod';
import type { CompletionOrder } from '../../../../commands/completions/completion-order.ts';
import { chatBody, orderOf } from './chat-body.ts';
import { declined } from './declined-members.ts';
import { generationConfig, withGenerationConfig } from './generation-config.ts';

/** The body of a chat request as the desktop and its like send it. */
export const desktopBody = chatBody.extend({ ...declined, generationConfig });

/** What such a body orders, in no provider's words. Throws DomainError `validation_error`. */
export const desktopOrderOf = (userId: string, body: z.infer<typeof desktopBody>): CompletionOrder =>
  orderOf(userId, withGenerationConfig(body, body.generationConfig));
