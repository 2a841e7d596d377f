import { randomUUID } from 'node:crypto';
import { creditAccount } from '../../commands/credits/index.ts';
import { sessionAggregate } from '../../commands/sessions/index.ts';
import { signInService } from '../../commands/sessions/sign-in.ts';
import { emailAggregate, identityAggregate } from '../../commands/users/claims.ts';
import { identityHashes } from '../../commands/users/identity-hash.ts';
import { userAggregate } from '../../commands/users/index.ts';
import { recogniser } from '../../commands/users/recognise.ts';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import { commandHandler, type HandlerDeps } from '../../src/kernel/command-handler.ts';
import type { Profile } from '../../src/kernel/identity.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { SubjectVault } from '../../src/kernel/vault.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';

export const START = '2026-03-01T12:00:00.000Z';
export const MAX_SESSION_SECONDS = 30 * 86_400;

/** A clock that a test moves. */
export const movableClock = (start: string = START) => {
  let now = Date.parse(start);
  return {
    clock: () => new Date(now),
    pass: (seconds: number) => {
      now += seconds * 1000;
    },
  };
};

export const causeAt = (at: string = START): Cause => ({
  at,
  correlationId: randomUUID(),
  causationId: randomUUID(),
  actor: { kind: 'system', id: 'test' },
});

export const ada: Profile = {
  subject: 'google-oauth2|ada',
  email: 'Ada@example.test',
  emailVerified: true,
  name: 'Ada',
  role: undefined,
};

/** One process's handlers and services on a store and a vault that others may share. */
export const identityRig = (
  store: MemoryEventStore = memoryEventStore(),
  vault: SubjectVault = sqliteVault({ path: ':memory:', masterKey: 'ab'.repeat(32) }),
) => {
  const deps: HandlerDeps = { store, logger: silentLogger, pause: () => Promise.resolve() };
  const users = commandHandler(userAggregate, deps);
  const sessions = commandHandler(sessionAggregate, deps);
  const accounts = commandHandler(creditAccount, deps);
  const identities = commandHandler(identityAggregate, deps);
  const emails = commandHandler(emailAggregate, deps);
  const recognise = recogniser({ identities, emails, users, vault, hashes: identityHashes('key of the tests') });
  const service = signInService({
    recognise,
    sessions,
    accounts,
    offer: () => ({ amount: 2_000_000n, days: 180 }),
    maxSessionSeconds: MAX_SESSION_SECONDS,
    logger: silentLogger,
  });
  /** The types of all events in the log of streams with this prefix. */
  const said = (prefix: string): readonly string[] =>
    store
      .log()
      .filter(({ stream }) => stream.startsWith(prefix))
      .map(({ type }) => type);
  const logIn = (person: Profile = ada, at: string = START, sessionId: string = randomUUID()) =>
    service.signIn({ person, sessionId, deviceId: undefined }, causeAt(at));
  return { store, vault, users, sessions, accounts, identities, emails, recognise, service, said, logIn };
};

export type IdentityRig = ReturnType<typeof identityRig>;

/** The error that a promise fails with; undefined when it does not. */
export const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
