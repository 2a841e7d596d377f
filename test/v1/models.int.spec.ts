import { expect } from 'chai';
import OpenAI from 'openai';
import { catalogue } from '../completions/given-completions.ts';
import { givenSandbox, givenVoice, type GivenV1 } from './given-v1.ts';
import { voices } from './voices.ts';

describe('GET /v1/models', () => {
  let given: GivenV1;
  afterEach(() => given.close());

  it('lists what can be talked to, in OpenAI’s format', async () => {
    given = await givenVoice('openai', voices['openai']!);
    const page = await given.client.models.list();
    expect(page.object).to.equal('list');
    const chats = catalogue.models.filter(
      ({ provider, modelType, status }) =>
        provider === 'openai' && modelType !== 'transcription' && status === 'active',
    );
    expect(page.data.map(({ id }) => id)).to.deep.equal(chats.map(({ id }) => id).toSorted());
    expect(page.data.length).to.be.greaterThan(5);
    for (const model of page.data) {
      expect(Object.keys(model)).to.have.members(['id', 'object', 'created', 'owned_by']);
      expect(model).to.include({ object: 'model', owned_by: 'openai' });
      expect(model.created).to.satisfy(Number.isInteger);
    }
  });

  it('gives one, with the slash of its id as it is or encoded', async () => {
    given = await givenSandbox();
    const listed = (await given.client.models.list()).data.find(({ id }) => id === 'sandbox/echo');
    expect(await given.client.models.retrieve('sandbox/echo')).to.deep.include({ ...listed });
    for (const path of ['sandbox/echo', 'sandbox%2Fecho', 'sandbox/echo/']) {
      const response = await fetch(`${given.url}/v1/models/${path}`, { headers: { authorization: 'Bearer ada' } });
      expect(response.status, path).to.equal(200);
      expect(await response.json()).to.deep.equal({ ...listed });
    }
  });

  it('knows no others', async () => {
    given = await givenSandbox();
    for (const id of ['nobody/nothing', 'gpt-4o', 'openai/gpt-5-mini']) {
      const failure = await given.client.models.retrieve(id).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(OpenAI.NotFoundError);
      expect(failure).to.include({ code: 'model_not_found', param: 'model' });
    }
  });
});
