import { expect } from 'chai';
import type { PublishConsentDocument } from '../../commands/consent/consent.commands.ts';
import { consentDecider } from '../../commands/consent/consent.decider.ts';
import { currentDocument } from '../../commands/consent/consent.state.ts';
import { consentDocumentsDecider } from '../../commands/consent/documents.decider.ts';
import type { ConsentEvent } from '../../src/events/consent/consent.events.ts';
import { given } from '../support/given.ts';
import { accept, published, T0, terms, USER, withdraw } from './fixtures.ts';

const accepted = (version: string): ConsentEvent => ({ type: 'ConsentAccepted', data: accept(version).data });

describe('consent', () => {
  it('is given to a version', () => {
    given(consentDecider).when(accept('1')).thenEvents(accepted('1'));
  });

  it('says nothing new when it is given again', () => {
    given(consentDecider, accepted('1')).when(accept('1')).thenNothing();
  });

  it('is given anew to another version, and to the same after it was taken back', () => {
    given(consentDecider, accepted('1')).when(accept('2')).thenEvents(accepted('2'));
    const takenBack = { type: 'ConsentWithdrawn', data: { ...withdraw.data, version: '1' } } as const;
    given(consentDecider, accepted('1'), takenBack).when(accept('1')).thenEvents(accepted('1'));
  });

  it('of one document does not stand for another', () => {
    const privacy = { ...accept('1'), data: { ...accept('1').data, docType: 'privacy' } } as const;
    given(consentDecider, accepted('1')).when(privacy).thenEvents({ type: 'ConsentAccepted', data: privacy.data });
  });

  it('is taken back from the version that it was given to', () => {
    given(consentDecider, accepted('1'), accepted('2'))
      .when(withdraw)
      .thenEvents({ type: 'ConsentWithdrawn', data: { ...withdraw.data, version: '2' } });
  });

  it('that was never given is not taken back', () => {
    given(consentDecider).when(withdraw).thenNothing();
  });

  it('is by user and by place', () => {
    expect(given(consentDecider, accepted('1')).state).to.deep.equal({ 'eu/terms': '1' });
    expect(accepted('1').data.userId).to.equal(USER);
  });
});

const publish = (version: string, effectiveAt: string, more = {}): PublishConsentDocument => ({
  type: 'PublishConsentDocument',
  key: `publish:${version}`,
  data: { ...published(terms(version, effectiveAt)), ...more },
});
const documentOf = ({ data }: PublishConsentDocument) => ({ type: 'ConsentDocumentPublished', data }) as const;
const first = documentOf(publish('1', '2025-08-12'));

describe('documents to agree to', () => {
  it('are published once for each version', () => {
    given(consentDocumentsDecider).when(publish('1', '2025-08-12')).thenEvents(first);
    given(consentDocumentsDecider, first).when(publish('1', '2025-08-12')).thenNothing();
  });

  it('do not change once they are published', () => {
    given(consentDocumentsDecider, first)
      .when(publish('1', '2025-08-12', { contentHash: 'b'.repeat(64) }))
      .thenRefused('already_exists');
  });

  it('cannot be published for a time that is covered already', () => {
    given(consentDocumentsDecider, first).when(publish('0', '2025-08-11')).thenRefused('validation_error');
  });

  it('that come with the build leave alone what is there', () => {
    const seed = { ...publish('1', '2020-01-01'), type: 'SeedConsentDocument' } as const;
    given(consentDocumentsDecider, first).when(seed).thenNothing();
    given(consentDocumentsDecider).when(seed).thenEvents({ type: 'ConsentDocumentPublished', data: seed.data });
  });

  it('of a day to come hide nothing until that day', () => {
    const { state } = given(consentDocumentsDecider, first, documentOf(publish('2', '2026-04-01')));
    const place = { region: 'eu', docType: 'terms' } as const;
    const versionOn = (day: string) => currentDocument(state, place, day)?.version;
    expect(versionOn('2025-08-11')).to.equal(undefined);
    expect(versionOn(T0.slice(0, 10))).to.equal('1');
    expect(versionOn('2026-03-31')).to.equal('1');
    expect(versionOn('2026-04-01')).to.equal('2');
  });

  it('of one day: the one that was published last counts', () => {
    const { state } = given(consentDocumentsDecider, first, documentOf(publish('1a', '2025-08-12')));
    expect(currentDocument(state, { region: 'eu', docType: 'terms' }, '2026-01-01')?.version).to.equal('1a');
  });
});
