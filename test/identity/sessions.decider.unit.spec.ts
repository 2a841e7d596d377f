import type { RefreshSession } from '../../commands/sessions/sessions.commands.ts';
import { sessionDecider } from '../../commands/sessions/sessions.decider.ts';
import type { SessionEvent } from '../../src/events/session/session.events.ts';
import { isoAfter } from '../../src/kernel/clock.ts';
import { given } from '../support/given.ts';

const at = '2026-03-01T12:00:00.000Z';
const expiresAt = '2026-03-31T12:00:00.000Z';
const about = { sessionId: 'session', userId: 'ada', expiresAt, at };
const deviceId = 'device';

const signedIn: SessionEvent = { type: 'SignedIn', data: { ...about, deviceId, origin: 'login' } };
const signedOut: SessionEvent = { type: 'SignedOut', data: about };
const start = { type: 'StartSession', key: 's', data: { ...about, deviceId } } as const;
const signOut = { type: 'SignOut', key: 'o', data: about } as const;

const refreshAt = (when: string, told: Partial<RefreshSession['data']> = {}): RefreshSession => ({
  type: 'RefreshSession',
  key: `refresh:${when}`,
  data: { ...about, deviceId, at: when, ...told },
});

describe('a session', () => {
  it('starts once', () => {
    given(sessionDecider).when(start).thenEvents(signedIn);
    given(sessionDecider, signedIn).when(start).thenNothing();
    given(sessionDecider, signedIn)
      .when({ ...start, data: { ...start.data, userId: 'eve' } })
      .thenRefused('authentication_error');
  });

  it('is adopted when its good token comes from another server', () => {
    given(sessionDecider)
      .when(refreshAt(at))
      .thenEvents({ type: 'SignedIn', data: { ...about, deviceId, origin: 'adopted' } });
  });

  it('goes on, and its life does not get longer', () => {
    const later = isoAfter(at, 3_600_000);
    given(sessionDecider, signedIn)
      .when(refreshAt(later, { expiresAt: '2099-01-01T00:00:00.000Z' }))
      .thenEvents({ type: 'SessionRefreshed', data: { ...about, deviceId, at: later } });
  });

  it('takes refreshes within a minute for one, unless the device has changed', () => {
    given(sessionDecider, signedIn)
      .when(refreshAt(isoAfter(at, 60_000)))
      .thenNothing();
    given(sessionDecider, signedIn)
      .when(refreshAt(at, { deviceId: 'other' }))
      .thenEvents({ type: 'SessionRefreshed', data: { ...about, deviceId: 'other' } });
  });

  it('is dead at its greatest age', () => {
    given(sessionDecider, signedIn).when(refreshAt(expiresAt)).thenRefused('authentication_error');
  });

  it('is refreshed for its own user only', () => {
    given(sessionDecider, signedIn)
      .when(refreshAt(at, { userId: 'eve' }))
      .thenRefused('authentication_error');
  });

  it('ends once, and stays ended', () => {
    given(sessionDecider, signedIn).when(signOut).thenEvents(signedOut);
    given(sessionDecider, signedIn, signedOut).when(signOut).thenNothing();
    given(sessionDecider, signedIn, signedOut).when(refreshAt(at)).thenRefused('authentication_error');
    given(sessionDecider, signedIn, signedOut, signedIn).when(start).thenRefused('authentication_error');
  });

  it('ends though it was never heard of here', () => {
    given(sessionDecider).when(signOut).thenEvents(signedOut);
  });

  it('is revoked with its own end, whatever the caller believes it to be', () => {
    given(sessionDecider, signedIn)
      .when({ type: 'RevokeSession', key: 'r', data: { ...about, expiresAt: at, reason: 'device_removed' } })
      .thenEvents({ type: 'SessionRevoked', data: { ...about, reason: 'device_removed' } });
  });
});
