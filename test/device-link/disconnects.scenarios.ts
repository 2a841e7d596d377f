import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { chance } from '../support/chance.ts';
import { eventually } from '../support/eventually.ts';
import type { SimulatedLink } from '../support/simulated-link.ts';
import type { Answer } from '../support/simulated-phone.ts';
import type { GivenLinks } from './given-links.ts';

type Frame = Readonly<{ type: string; payload: Readonly<Record<string, unknown>> }>;

const DISCONNECTS = 200;
/** Thirty seconds of a client are an eighth of one here. */
const PACE = 0.004;

/** What the server has heard of one type. */
const heard = ({ instances }: GivenLinks, type: string): readonly Frame['payload'][] =>
  instances
    .flatMap((instance) => instance.heard)
    .filter((frame) => frame.startsWith(`{"type":"${type}"`))
    .map((frame) => (JSON.parse(frame) as Frame).payload);

const numbersOf = (payloads: readonly unknown[], eventType: string): readonly number[] =>
  payloads.flatMap((payload) => {
    const said = payload as Readonly<{ eventType?: string; payload?: { n?: number } }>;
    return said.eventType === eventType ? [said.payload?.n ?? -1] : [];
  });

const got = (link: SimulatedLink, eventType: string): readonly number[] =>
  numbersOf(
    link.events.map(({ payload }) => payload),
    eventType,
  );

/** Many disconnects at points of chance, the same for the same seed as far as the network lets us. */
export const disconnectScenario = (seed: number, make: () => Promise<GivenLinks>): void => {
  it(`loses no answer and no event over ${DISCONNECTS} disconnects at points of chance (seed ${seed})`, async function () {
    this.timeout(180_000);
    const given = await make();
    const pick = chance(seed);
    const where = { phone: 0, desktop: 0 };
    const move = (who: keyof typeof where): void => {
      where[who] = pick(given.instances.length);
    };
    const phone = given.phone({ at: () => where.phone, pace: PACE });
    const desktop = given.desktop({ at: () => where.desktop, pace: PACE });
    desktop.on('echo.write', async ({ n }) => {
      await wait(Number(n) % 20);
      return { n };
    });
    await phone.connected();

    let running = true;
    const answers = new Map<string, Answer>();
    const talk = async (): Promise<void> => {
      for (let n = 0; running; n += 1) {
        const id = `call-${n}`;
        void phone.call('echo.write', { n }, { id, timeoutMs: 120_000 }).then(
          (answer) => answers.set(id, answer),
          () => undefined,
        );
        phone.emit('job:note-from-phone', { jobId: 'j', sessionId: 's', n });
        desktop.emit('job:note-from-desktop', { jobId: 'j', sessionId: 's', n });
        await wait(pick(8));
      }
    };
    const talking = talk();
    for (let n = 0; n < DISCONNECTS; n += 1) {
      const who = pick(2) === 0 ? 'phone' : 'desktop';
      const client = who === 'phone' ? phone : desktop;
      if (pick(3) > 0) await eventually(`${who} is linked`, () => (client.isLinked() ? true : undefined), 20_000);
      await wait(pick(40));
      move(who);
      if (pick(2) === 0) client.drop();
      else given.cut(client.deviceId);
    }
    running = false;
    await talking;
    await Promise.all([phone.linked(), desktop.linked()]);
    await phone.connected();

    const answered = new Set(heard(given, 'rpc.response').map(({ id }) => String(id)));
    const calls = [...answered].filter((id) => id.startsWith('call-'));
    await eventually(
      'every answer that reached the server reaches the phone',
      () => (calls.every((id) => answers.has(id)) ? true : undefined),
      20_000,
    );
    expect(calls.map((id) => answers.get(id)).filter((answer) => answer?.error !== null)).to.deep.equal([]);

    for (const [from, to] of [
      ['job:note-from-desktop', phone],
      ['job:note-from-phone', desktop],
    ] as const) {
      const said = numbersOf(heard(given, 'event'), from).toSorted((a, b) => a - b);
      await eventually(`all of ${from}`, () => (got(to, from).length >= said.length ? true : undefined), 20_000);
      // What was on its way over the old connection may come after what came over the new one.
      expect(got(to, from).toSorted((a, b) => a - b)).to.deep.equal(said);
      expect(to.events.filter(({ payload }) => payload?.['eventType'] === 'event-replay-gap')).to.deep.equal([]);
    }
    expect(given.violations()).to.deep.equal([]);
    expect(given.faults()).to.deep.equal([]);
    expect(calls.length).to.be.greaterThan(DISCONNECTS / 2);
    await given.close();
  });
};
