import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import type { SimulatedLink } from '../support/simulated-link.ts';
import type { GivenLinks } from './given-links.ts';

const told = (link: SimulatedLink, type: string): readonly Readonly<Record<string, unknown>>[] =>
  link.events
    .filter(({ payload }) => payload?.['eventType'] === type)
    .map(({ payload }) => payload?.['payload'] as Readonly<Record<string, unknown>>);

const comes = (what: string, probe: () => boolean): Promise<true> =>
  eventually(what, () => (probe() ? true : undefined), 10_000);

type Way = 'deploy' | 'crash';

/**
 * What has to work when the instance on which both devices are ends and is started again. `remembers`: what the instances
 * share outlives them.
 */
export const restartScenarios = (make: () => Promise<GivenLinks>, remembers: boolean): void => {
  const restarted = async (how: Way, while_: (given: GivenLinks) => Promise<() => Promise<void>>): Promise<void> => {
    const given = await make();
    const then = await while_(given);
    await given.instances[0]![how]();
    await given.restart(0);
    await then();
    await given.close();
    expect(given.violations()).to.deep.equal([]);
    if (how === 'deploy') expect(given.faults()).to.deep.equal([]);
  };

  for (const how of ['deploy', 'crash'] as const) {
    it(`goes on after a ${how}: events, calls and a watched terminal`, () =>
      restarted(how, async (given) => {
        const phone = given.phone({ at: () => 0 });
        const desktop = given.desktop({ at: () => 0 });
        await phone.connected();
        await phone.watch('term-1');
        desktop.emit('job:status-changed', { jobId: 'before', sessionId: 's', status: 'completed' });
        await comes('the event', () => told(phone, 'job:status-changed').length === 1);
        const before = phone.credentials.lastEventId ?? 0;
        return async () => {
          await comes('both are back', () => phone.links() === 2 && desktop.links() === 2);
          await phone.connected();
          if (how === 'deploy') expect([phone.closes[0], desktop.closes[0]]).to.deep.equal([1012, 1012]);
          desktop.emit('job:status-changed', { jobId: 'after', sessionId: 's', status: 'completed' });
          await comes('events go on', () => told(phone, 'job:status-changed').some(({ jobId }) => jobId === 'after'));
          expect(phone.credentials.lastEventId).to.be.greaterThan(before);
          await comes('the terminal is watched again', () => desktop.watched().includes('term-1'));
          desktop.print('term-1', 'still here');
          await comes('the output', () => phone.output('term-1').endsWith('still here'));
          if (remembers) expect(told(phone, 'event-replay-gap')).to.deep.equal([]);
          else await comes('a gap', () => told(phone, 'event-replay-gap').length > 0);
          expect(phone.errors).to.deep.equal(remembers ? [] : ['invalidResume']);
        };
      }));
  }

  it('gives the phone the answer of a desktop that worked through a deploy', () =>
    restarted('deploy', async (given) => {
      const phone = given.phone({ at: () => 0 });
      const desktop = given.desktop({ at: () => 0 });
      const done = Promise.withResolvers<string>();
      desktop.on('plan.create', () => done.promise);
      await phone.connected();
      const call = phone.call('plan.create');
      await comes('the desktop works', () => desktop.asked.some(({ method }) => method === 'plan.create'));
      return async () => {
        done.resolve('done');
        expect((await call).result).to.equal('done');
        expect(desktop.asked.filter(({ method }) => method === 'plan.create').length).to.equal(1);
      };
    }));
};
