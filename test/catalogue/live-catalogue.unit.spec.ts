import { expect } from 'chai';
import { liveCatalogue, type LiveCatalogue } from '../../src/app/live-catalogue.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import type { Cause } from '../../src/kernel/message.ts';
import { eventually } from '../support/eventually.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { at, build, dear, ECHO, modelIn } from './fixtures.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const causeOf = (id: string): Cause => ({
  at,
  correlationId: id,
  causationId: id,
  actor: { kind: 'admin', id: 'b2a3c1e0-6a5e-4b7e-9d5c-0a4b6c1d2e3f' },
});

const note = { reason: null, ifRevision: undefined };

describe('the catalogue in memory', () => {
  let store: MemoryEventStore;
  let stopping: AbortController;

  const instance = (on = build) => {
    const { logger, lines } = memoryLogger();
    const it = liveCatalogue({ build: on, store, clock: () => new Date(at), pause: turn, logger });
    const ready = it.start(stopping.signal);
    ready.catch(() => undefined);
    return { it, ready, lines };
  };
  const started = async (on = build): Promise<LiveCatalogue> => {
    const { it, ready } = instance(on);
    await ready;
    return it;
  };
  const price = (of: LiveCatalogue): bigint => modelIn(of.view().offer, ECHO).price.input;
  const changePrice = (of: LiveCatalogue, id = 'one') =>
    of.service.change({ type: 'ChangeModelPrice', data: { id: ECHO, price: dear } }, note, causeOf(id));

  beforeEach(() => {
    store = memoryEventStore();
    stopping = new AbortController();
  });
  afterEach(() => stopping.abort());

  it('tells the prices of a build once, by whichever instance is first', async () => {
    await Promise.all([started(), started(), started()]);
    await started({ ...build, catalogue: { ...build.catalogue, version: 'next' } });
    await started();
    expect(store.log().map(({ type, metadata }) => [type, metadata.actor.kind])).to.deep.equal([
      ['PriceBookPublished', 'system'],
      ['PriceBookPublished', 'system'],
    ]);
  });

  it('is changed at once where it was changed, and soon everywhere else', async () => {
    const [here, there] = [await started(), await started()];
    await changePrice(here);
    expect(price(here)).to.equal(dear.input);
    await eventually('the other instance to know', () => (price(there) === dear.input ? true : undefined));
    expect(there.catalogue()).to.deep.equal(here.catalogue());
  });

  it('knows earlier changes when it starts', async () => {
    await changePrice(await started());
    expect(price(await started())).to.equal(dear.input);
  });

  it('is not ready before it was read, and asks again until the store answers', async () => {
    store.outage(true);
    const { it: late, ready, lines } = instance();
    await eventually('a second try', () => (lines.length > 1 ? true : undefined));
    expect(late.isLive()).to.equal(false);
    try {
      late.catalogue();
      expect.fail('a catalogue that nobody has read was offered');
    } catch (error) {
      if (!isDomainError(error)) throw error;
      expect(error.errorType).to.equal('service_unavailable');
    }
    store.outage(false);
    await ready;
    expect(late.isLive()).to.equal(true);
    expect(late.catalogue()).to.deep.equal(build.catalogue);
  });

  it('stays as it was while the store is away, and hears the news afterwards', async () => {
    const [here, there] = [await started(), await started()];
    store.outage(true);
    await eventually('the loss to be noticed', () => (there.isLive() ? undefined : true));
    expect(price(there)).to.equal(modelIn(build, ECHO).price.input);
    store.outage(false);
    await changePrice(here);
    await eventually('the news', () => (price(there) === dear.input ? true : undefined));
    await eventually('to be live again', () => (there.isLive() ? true : undefined));
  });

  it('lets one of two administrators win who have read the same', async () => {
    const [here, there] = [await started(), await started()];
    const ifRevision = here.view().changes.revision;
    const wanted = (status: 'active' | 'inactive', contextWindow: number) =>
      ({
        type: 'ChangeModel',
        data: { id: ECHO, changes: { status, contextWindow }, price: undefined },
      }) as const;
    const outcomes = await Promise.allSettled([
      here.service.change(wanted('inactive', 1), { reason: null, ifRevision }, causeOf('one')),
      there.service.change(wanted('active', 2), { reason: null, ifRevision }, causeOf('two')),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    expect(store.log()).to.have.length(2);
  });

  it('logs what this build cannot follow', async () => {
    const here = await started();
    const { model: _, ...settings } = build.catalogue.tasks['streaming']!;
    const data = { id: 'streaming', settings: { ...settings, model: ECHO, allowedModels: [ECHO] } };
    await here.service.change({ type: 'ChangeTask', data }, note, causeOf('one'));
    const models = build.catalogue.models.filter(({ id }) => id !== ECHO);
    const { it: smaller, ready, lines } = instance({ ...build, catalogue: { ...build.catalogue, models } });
    await ready;
    expect(smaller.view().setAside.map(({ part, id }) => [part, id])).to.deep.equal([['tasks', 'streaming']]);
    expect(lines.some(({ message }) => message.includes('cannot follow'))).to.equal(true);
  });
});
