import { createHmac } from 'node:crypto';
import type { DoubleState } from './state.ts';

type Options = Readonly<{
  state: DoubleState;
  /** Where notices go. */
  target: string;
  secret: string;
  now: () => number;
}>;

const TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 30_000;

/** Sends notices until each was taken, as Stripe does: later and later, in no order that could be relied upon. */
export const deliveries = ({ state, target, secret, now }: Options) => {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let busy = false;

  const isTaken = async (eventId: string): Promise<boolean> => {
    const event = state.get('event', eventId);
    if (event === undefined) return true;
    const body = JSON.stringify(event);
    const time = Math.floor(now() / 1000);
    const signature = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
    const headers = { 'content-type': 'application/json', 'stripe-signature': `t=${time},v1=${signature}` };
    try {
      const answer = await fetch(target, { method: 'POST', body, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false;
    }
  };

  const round = async (): Promise<void> => {
    await Promise.all(
      state.due(now()).map(async ({ id, eventId, attempts }) => {
        const taken = await isTaken(eventId);
        if (stopped) return;
        if (taken) state.delivered(id);
        else state.later(id, now() + Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempts));
      }),
    );
  };

  const wake = (): void => {
    if (stopped || busy) return;
    clearTimeout(timer);
    const at = state.nextDue();
    if (at === undefined) return;
    timer = setTimeout(
      () => {
        busy = true;
        running = round().finally(() => {
          busy = false;
          wake();
        });
      },
      Math.max(0, at - now()),
    );
  };

  return {
    wake,
    stop: async (): Promise<void> => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
};
