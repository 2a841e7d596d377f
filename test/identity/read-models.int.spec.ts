import { sessionsProjection } from '../../projections/sessions/sessions.projection.ts';
import { sessionsTable } from '../../projections/sessions/sessions.table.ts';
import { usersProjection } from '../../projections/users/users.projection.ts';
import { usersTable } from '../../projections/users/users.table.ts';
import type { UserEvent } from '../../src/events/user/user.events.ts';
import type { Sealed } from '../../src/kernel/vault.ts';
import { givenProjection } from '../support/given-projection.ts';

const ADA = '0b0f6c1e-6a5e-5b7e-9d5c-0a4b6c1d2e3f';
const BOB = '1b0f6c1e-6a5e-5b7e-9d5c-0a4b6c1d2e3f';
const at = '2026-03-01T12:00:00.000Z';
const later = '2026-03-02T12:00:00.000Z';
const dbAt = '2026-03-01T12:00:00.000000Z';
const dbLater = '2026-03-02T12:00:00.000000Z';

const sealed = (ct: string): Sealed => ({ k: ADA, iv: 'iv', ct, tag: 'tag' });
const rest = { emailDigest: 'digest', emailHash: 'hash', nameDigest: 'digest' };

const user = (event: UserEvent, opened: Readonly<Record<string, unknown>> = {}) => ({
  stream: `user-${event.data.userId}`,
  ...event,
  opened,
});
const ada = user(
  {
    type: 'UserRegistered',
    data: { userId: ADA, identityHash: 'i', email: sealed('1'), name: sealed('2'), ...rest, role: 'user', at },
  },
  { email: 'ada@example.test', name: 'Ada' },
);
const bob = user({
  type: 'UserRegistered',
  data: {
    userId: BOB,
    identityHash: 'j',
    email: sealed('3'),
    name: null,
    ...rest,
    nameDigest: null,
    role: 'admin',
    at,
  },
});

describe('the read models of identity', function () {
  this.timeout(60_000);

  it('tell who the users are now', async () => {
    const moved = user(
      { type: 'ProfileChanged', data: { userId: ADA, email: sealed('4'), name: sealed('5'), ...rest, at: later } },
      { email: 'lovelace@example.test', name: 'Ada L.' },
    );
    const risen = user({ type: 'RoleChanged', data: { userId: ADA, role: 'admin', at: later } });
    await givenProjection(usersProjection)
      .events(ada, bob, moved, risen)
      .thenRows(usersTable, [
        {
          id: ADA,
          email: 'lovelace@example.test',
          name: 'Ada L.',
          role: 'admin',
          created_at: dbAt,
          updated_at: dbLater,
        },
        // Bob's key is destroyed.
        { id: BOB, email: null, name: null, role: 'admin', created_at: dbAt, updated_at: dbAt },
      ]);
  });

  it('know nothing of a removed user', async () => {
    const removed = user({ type: 'UserRemoved', data: { userId: ADA, at: later } });
    await givenProjection(usersProjection).events(ada, removed).thenRows(usersTable, []);
  });

  it('tell which sessions are open, and how the others ended', async () => {
    const expiresAt = '2026-03-31T12:00:00.000Z';
    const [open, out, revoked] = [
      '0c0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
      '1c0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
      '2c0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
    ] as const;
    const said = (type: string, sessionId: string, more: object) => ({
      stream: `session-${sessionId}`,
      type,
      data: { sessionId, userId: ADA, expiresAt, at, ...more },
    });
    const row = { user_id: ADA, device_id: null, expires_at: '2026-03-31T12:00:00.000000Z' };
    const started = { started_at: dbAt, seen_at: dbAt };
    await givenProjection(sessionsProjection)
      .events(
        said('SignedIn', open, { deviceId: null, origin: 'login' }),
        said('SignedIn', revoked, { deviceId: 'phone', origin: 'login' }),
        said('SessionRefreshed', open, { deviceId: 'laptop', at: later }),
        said('SignedOut', out, { at: later }),
        said('SessionRevoked', revoked, { at: later, reason: 'device_removed' }),
      )
      .thenRows(sessionsTable, [
        {
          ...row,
          session_id: open,
          device_id: 'laptop',
          started_at: dbAt,
          seen_at: dbLater,
          ended_at: null,
          end_reason: null,
        },
        { ...row, session_id: out, started_at: null, seen_at: null, ended_at: dbLater, end_reason: 'signed_out' },
        {
          ...row,
          ...started,
          session_id: revoked,
          device_id: 'phone',
          ended_at: dbLater,
          end_reason: 'device_removed',
        },
      ]);
  });
});
