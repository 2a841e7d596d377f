import { expect } from 'chai';
import { checkMedia } from '../../commands/completions/media-rules.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import type { Part } from '../../src/kernel/upstream.ts';
import { catalogue } from './given-completions.ts';

const image = (mediaType: string, bytes = 3): Part => ({
  type: 'image',
  source: { kind: 'base64', mediaType, data: 'A'.repeat(Math.ceil(bytes / 3) * 4) },
});
const pdf = (bytes = 3): Part => ({
  type: 'document',
  source: { kind: 'base64', mediaType: 'application/pdf', data: 'A'.repeat(Math.ceil(bytes / 3) * 4) },
});
const MIB = 1024 * 1024;

const check = (modelId: string, ...parts: Part[]): string => {
  const model = catalogue.models.find(({ id }) => id === modelId)!;
  try {
    checkMedia(model.provider, model, { messages: [{ role: 'user', parts }], sampling: {}, tools: [] });
    return 'fine';
  } catch (error) {
    if (isDomainError(error)) return error.errorType;
    throw error;
  }
};

describe('media in a request', () => {
  it('are taken by models that see', () => {
    expect(check('openai/gpt-5-mini', image('image/webp'), pdf())).to.equal('fine');
    expect(check('google/gemini-2.5-pro', image('image/heic'), pdf())).to.equal('fine');
    expect(check('xai/grok-4', image('image/png'))).to.equal('fine');
  });

  it('are refused by models that read text only', () => {
    expect(check('deepseek/deepseek-r1-0528', image('image/png'))).to.equal('bad_request');
    expect(check('moonshotai/kimi-k2', pdf())).to.equal('bad_request');
  });

  it('must be of a type that the provider takes', () => {
    expect(check('google/gemini-2.5-pro', image('image/gif'))).to.equal('validation_error');
    expect(check('openai/gpt-5-mini', image('image/heic'))).to.equal('validation_error');
    expect(check('xai/grok-4', image('image/webp'))).to.equal('validation_error');
    expect(check('xai/grok-4', pdf())).to.equal('validation_error');
  });

  it('must not be too large or too many', () => {
    expect(check('xai/grok-4', image('image/png', 19 * MIB))).to.equal('fine');
    expect(check('xai/grok-4', image('image/png', 21 * MIB))).to.equal('validation_error');
    expect(check('google/gemini-2.5-pro', image('image/png', 11 * MIB), image('image/png', 10 * MIB))).to.equal(
      'validation_error',
    );
    expect(check('anthropic/claude-opus-4-5-20251101', pdf(33 * MIB))).to.equal('validation_error');
    const many = Array.from({ length: 101 }, () => image('image/png'));
    expect(check('anthropic/claude-opus-4-5-20251101', ...many)).to.equal('validation_error');
  });

  it('are not measured when they lie at the provider', () => {
    const held: Part = { type: 'image', source: { kind: 'file', fileId: 'file-1' } };
    expect(check('xai/grok-4', held)).to.equal('fine');
  });
});
