import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import type { Catalogue } from '../../src/kernel/catalogue.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import type { MediaForm, TranscriptionUpstream, VideoUpstream } from '../../src/kernel/media-upstream.ts';
import type { Job } from '../completions/plan.ts';
import type { CompletionPolicy } from '../completions/policy.ts';
import type { CreditCommand } from '../credits/credits.commands.ts';
import type { CreditAccount } from '../credits/credits.state.ts';

/** What a client sent along with a file, as it was sent: what is wrong with it is told in a certain order. */
export type MediaOrder = Pick<Job, 'userId' | 'apiKey' | 'streamed'> &
  Readonly<{
    form: MediaForm;
    /** See Job. */
    keepUntil: NonNullable<Job['keepUntil']>;
    /** The client's `Idempotency-Key`. */
    key: string | undefined;
  }>;

export type MediaDeps = Readonly<{
  catalogue: () => Catalogue;
  /** The adapters of a provider; undefined when it has none or this server has no key for it. */
  transcriptions: (provider: string) => TranscriptionUpstream | undefined;
  videos: (provider: string) => VideoUpstream | undefined;
  credits: Pick<CommandHandler<CreditAccount, CreditCommand, CreditAccountEvent>, 'state'>;
  policy: CompletionPolicy;
  clock: Clock;
}>;
