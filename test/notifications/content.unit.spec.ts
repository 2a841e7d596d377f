import { expect } from 'chai';
import fc from 'fast-check';
import { fitted, payloadOf } from '../../commands/notifications/content.ts';
import { MOST_PAYLOAD_BYTES } from '../../src/kernel/push.ts';
import { T0 } from '../devices/fixtures.ts';

const told = (data: Readonly<Record<string, unknown>> = {}, title = 'Plan ready', body = 'Look at it') => ({
  title,
  body,
  data,
});

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value), 'utf8');

describe('the content of a notification', () => {
  it('is an alert with badge, sound and category, and the app’s own members beside it', () => {
    const data = { type: 'implementation_plan_complete', jobId: 'j1', sessionId: 's1', projectDirectory: '/p' };
    expect(payloadOf('job-completed', fitted('job-completed', 'j1', told(data), T0))).to.deep.equal({
      aps: {
        alert: { title: 'Plan ready', body: 'Look at it' },
        badge: 1,
        sound: 'default',
        category: 'job_completed',
        'content-available': 1,
      },
      ...data,
      timestamp: T0,
    });
  });

  it('says which job of itself, and leaves what the desktop said', () => {
    expect(fitted('job-failed', 'j1', told(), T0).data).to.deep.equal({
      type: 'job_failed',
      jobId: 'j1',
      timestamp: T0,
    });
    const said = { type: 'file_finder_complete', jobId: 'other', timestamp: 'then' };
    expect(fitted('job-completed', 'j1', told(said), T0).data).to.deep.equal(said);
  });

  for (const kind of ['job-progress', 'desktop-online'] as const) {
    it(`shows nothing for ${kind}`, () => {
      const { aps } = payloadOf(kind, fitted(kind, null, told(), T0));
      expect(aps).to.deep.equal({ 'content-available': 1 });
    });
  }

  it('lets nobody write the part that Apple reads', () => {
    const payload = payloadOf('test', fitted('test', null, told({ aps: { badge: 99 } }), T0));
    expect(payload['aps']).to.deep.equal({
      alert: { title: 'Plan ready', body: 'Look at it' },
      badge: 1,
      sound: 'default',
      category: 'test',
    });
  });

  it('gives up long members first, and the app’s way to what happened last', () => {
    const way = { type: 'job_failed', jobId: 'j1', sessionId: 's1', projectDirectory: '/home/ada/project' };
    const long = fitted('job-failed', 'j1', told({ ...way, errorMessage: 'x'.repeat(50_000), totalCost: 1.5 }), T0);
    expect(long.data).to.include({ ...way, totalCost: 1.5 });
    expect(long.data['errorMessage']).to.have.length(200);
    expect(long.body).to.equal('Look at it');
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`member${index}`, index]));
    expect(fitted('job-failed', 'j1', told({ ...way, ...many }), T0).data).to.deep.equal({ ...way, timestamp: T0 });
  });

  it('cuts no character into halves', () => {
    const { title } = fitted('test', null, told({}, '😀'.repeat(300)), T0);
    expect(title.isWellFormed()).to.equal(true);
    expect(title.length).to.be.at.most(200);
    expect(title.endsWith('…')).to.equal(true);
  });

  it('always fits into a push, and never holds what no store can keep', () => {
    const text = fc.string({ unit: 'binary', maxLength: 3000 });
    fc.assert(
      fc.property(
        text,
        text,
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })),
        text,
        (title, body, data, id) => {
          const content = fitted('job-completed', id.slice(0, 200), told(data, title, body), T0);
          expect(bytes(payloadOf('job-completed', content))).to.be.at.most(MOST_PAYLOAD_BYTES);
          expect(content.title + content.body).not.to.contain('\0');
        },
      ),
      { numRuns: 200 },
    );
  });
});
