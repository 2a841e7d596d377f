import type { RequestCompletionCancel } from '../../../../commands/completion-cancels/completion-cancels.commands.ts';
import type { CompletionCancel } from '../../../../commands/completion-cancels/completion-cancels.decider.ts';
import type { Completions } from '../../../../commands/completions/completions.ts';
import type { CreditCommand } from '../../../../commands/credits/credits.commands.ts';
import type { CreditAccount, Hold } from '../../../../commands/credits/credits.state.ts';
import type { RequestView } from '../../../../queries/requests/request-by-id.query.ts';
import type { CompletionCancelEvent } from '../../../events/completion-cancel/completion-cancel.events.ts';
import type { CreditAccountEvent } from '../../../events/credit-account/credit-account.events.ts';
import { isoOf, type Clock } from '../../../kernel/clock.ts';
import type { CommandHandler } from '../../../kernel/command-handler.ts';
import { DomainError } from '../../../kernel/errors.ts';
import type { Cause } from '../../../kernel/message.ts';

export type KnownRequestsDeps = Readonly<{
  completions: Pick<Completions, 'find'>;
  cancels: Pick<CommandHandler<CompletionCancel, RequestCompletionCancel, CompletionCancelEvent>, 'handle'>;
  credits: Pick<CommandHandler<CreditAccount, CreditCommand, CreditAccountEvent>, 'state'>;
  /** What the read models know of a request, whoever's it is. They may be a moment behind. */
  lookUp: (requestId: string) => Promise<RequestView | undefined>;
  clock: Clock;
  /** Waits for about this many milliseconds. */
  pause: (milliseconds: number) => Promise<void>;
}>;

/** How a request of the caller's stands. */
export type RequestStanding = Omit<RequestView, 'userId'>;

/** The requests of users, by id in lower case, on whichever instance they run. Throws DomainErrors `not_found` and `forbidden`. */
export type KnownRequests = Readonly<{
  /**
   * Ends a running request; what it has used is charged. Resolves with `ended` when that is done, with `ending` when the
   * instance that runs it, or the provider, takes its time. A second cancel is `not_found`.
   */
  cancel: (requestId: string, userId: string, cause: Cause) => Promise<'ended' | 'ending'>;
  /** A running or ended request. Throws `service_unavailable` when the read models are too far behind to tell. */
  standing: (requestId: string, userId: string) => Promise<RequestStanding>;
}>;

/** How long a cancel waits for the end, and a question for the read models. */
const PATIENCE_MS = 2_000;
const LOOK_EVERY_MS = 50;

const missing = (): DomainError => new DomainError('not_found', 'no such request is running; it may have ended');
const foreign = (): DomainError => new DomainError('forbidden', 'this request belongs to somebody else');

const holdOf = (account: CreditAccount, requestId: string): Hold | undefined =>
  account.status === 'open' ? account.holds.find(({ reservationId }) => reservationId === requestId) : undefined;

const hasSettled = (account: CreditAccount, requestId: string): boolean =>
  account.status === 'open' && account.settled.some(({ reservationId }) => reservationId === requestId);

/** Finds requests here, in the account of their user, and in the read models, in this order. */
export const knownRequests = (deps: KnownRequestsDeps): KnownRequests => {
  const { completions, credits, clock } = deps;

  /** Asks again and again until the answer will do; undefined when it does not in time. */
  const awaited = async <T>(ask: () => Promise<T | undefined>): Promise<T | undefined> => {
    const end = clock().getTime() + PATIENCE_MS;
    for (;;) {
      const answer = await ask();
      if (answer !== undefined || clock().getTime() >= end) return answer;
      await deps.pause(LOOK_EVERY_MS);
    }
  };

  const own = (requestId: string, userId: string) => {
    const running = completions.find(requestId);
    if (running !== undefined && running.userId !== userId) throw foreign();
    return running;
  };

  const cancelElsewhere = async (requestId: string, userId: string, cause: Cause): Promise<'ended' | 'ending'> => {
    const isHeld = async (): Promise<boolean> => holdOf(await credits.state(userId), requestId) !== undefined;
    if (!(await isHeld())) {
      const known = await deps.lookUp(requestId);
      throw known === undefined || known.userId === userId ? missing() : foreign();
    }
    const at = isoOf(clock());
    const wish: RequestCompletionCancel = {
      type: 'RequestCompletionCancel',
      key: `cancel:${requestId}`,
      data: { requestId, userId, at },
    };
    const { events } = await deps.cancels.handle(requestId, wish, { ...cause, at });
    if (events.length === 0) throw missing();
    const over = await awaited(async () => ((await isHeld()) ? undefined : true));
    return over === undefined ? 'ending' : 'ended';
  };

  const standingElsewhere = async (requestId: string, userId: string): Promise<RequestStanding> => {
    const account = await credits.state(userId);
    const hold = holdOf(account, requestId);
    if (hold !== undefined) {
      return { provider: hold.work.provider, status: 'active', openaiResponseId: null, createdAt: hold.since };
    }
    const settled = hasSettled(account, requestId);
    const known = await awaited(async () => {
      const view = await deps.lookUp(requestId);
      if (view?.userId === userId) return view.status === 'active' ? undefined : view;
      if (view !== undefined) throw foreign();
      if (!settled) throw missing();
      return undefined;
    });
    if (known !== undefined) return known;
    throw new DomainError('service_unavailable', 'how the request ended is not known yet; ask again', {
      retryAfterSeconds: 1,
    });
  };

  return {
    cancel: async (requestId, userId, cause) => {
      const running = own(requestId, userId);
      if (running === undefined) return cancelElsewhere(requestId, userId, cause);
      if (running.isStopped()) throw missing();
      await running.stop('cancel');
      return 'ended';
    },
    standing: async (requestId, userId) => {
      const running = own(requestId, userId);
      if (running === undefined) return standingElsewhere(requestId, userId);
      const { provider, startedAt } = running;
      const openaiResponseId = provider === 'openai' ? running.upstreamId() : null;
      return { provider, status: 'active', openaiResponseId, createdAt: isoOf(startedAt) };
    },
  };
};
