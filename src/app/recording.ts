import { answers } from '../../commands/completions/answers/answers.ts';
import { answerKeeper } from '../../commands/completions/answers/keeper.ts';
import type { Completions } from '../../commands/completions/completions.ts';
import { defaultCompletionPolicy } from '../../commands/completions/policy.ts';
import { answerLog } from '../../infra/postgres/answer-log.ts';
import type { Config } from '../config.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Job } from './jobs.ts';
import type { Stores } from './stores.ts';
import type { WriteSide } from './write-side.ts';

type Deps = Readonly<{
  config: Config;
  stores: Pick<Stores, 'eventStore' | 'pools' | 'vault'>;
  write: WriteSide;
  completions: Completions;
  digestKey: string;
  clock: Clock;
  logger: Logger;
}>;

const HOUR_MS = 3_600_000;
const SWEEP_EVERY_MS = 60_000;

/** The command for clients who may ask twice, and the job that forgets what is too old to be asked for. */
export const recording = ({ config, stores, write, completions, digestKey, clock, logger }: Deps) => {
  const log = answerLog({ pool: stores.pools.appSystem, vault: stores.vault });
  const command = answers({
    completions,
    log,
    keeper: answerKeeper({ log, logger }),
    store: stores.eventStore,
    credits: write.credits,
    claims: write.claims,
    digestKey,
    lingerMs: config.RESUME_SECONDS * 1_000,
    headWaitMs: defaultCompletionPolicy.headWaitMs,
    clock,
    logger,
    pause: write.pause,
  });
  const sweep: Job = {
    name: 'sweep-answers',
    everyMs: SWEEP_EVERY_MS,
    mayRun: () => true,
    run: () => log.sweep(new Date(clock().getTime() - config.IDEMPOTENCY_HOURS * HOUR_MS)),
  };
  return { answers: command, sweep, forgetUser: log.forgetUser };
};
