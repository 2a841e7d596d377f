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

  const types = ['jpeg', 'png', 'webp', 'gif', 'heic', 'heif'].map((name) => `image/${name}`);
  const taken: Readonly<Record<string, readonly string[]>> = {
    'openai/gpt-5-mini': ['image/jpeg', 'image/png', 'image/webp', 'image/gif'],
    'anthropic/claude-opus-4-5-20251101': ['image/jpeg', 'image/png', 'image/webp', 'image/gif'],
    'google/gemini-2.5-pro': ['image/jpeg', 'image/png', 'image/webp', 'image/heic', 'image/heif'],
    'xai/grok-4': ['image/jpeg', 'image/png'],
  };
  for (const [modelId, fine] of Object.entries(taken)) {
    it(`are exactly ${fine.join(', ')} for ${modelId}`, () => {
      expect(types.filter((type) => check(modelId, image(type)) === 'fine')).to.have.members(fine);
    });
  }

  it('are four types of pictures and no document for any other provider', () => {
    const model = {
      ...catalogue.models.find(({ id }) => id === 'moonshotai/kimi-k2')!,
      capabilities: { vision: true },
    };
    const fits = (part: Part): boolean => {
      try {
        checkMedia('openrouter', model, { messages: [{ role: 'user', parts: [part] }], sampling: {}, tools: [] });
        return true;
      } catch {
        return false;
      }
    };
    expect(types.filter((type) => fits(image(type)))).to.have.members([
      'image/jpeg',
      'image/png',
      'image/webp',
      'image/gif',
    ]);
    expect(fits(pdf())).to.equal(false);
  });

  it('have the limits of the provider, just so', () => {
    const pictures = (count: number, bytes: number): Part[] =>
      Array.from({ length: count }, () => image('image/png', bytes));
    const limits: readonly (readonly [string, readonly Part[], readonly Part[]])[] = [
      ['openai/gpt-5-mini', pictures(500, 3), pictures(501, 3)],
      ['openai/gpt-5-mini', pictures(2, 24 * MIB), pictures(2, 26 * MIB)],
      ['anthropic/claude-opus-4-5-20251101', pictures(100, 3), pictures(101, 3)],
      ['anthropic/claude-opus-4-5-20251101', pictures(2, 15 * MIB), pictures(2, 17 * MIB)],
      ['anthropic/claude-opus-4-5-20251101', [pdf(15 * MIB), pdf(15 * MIB)], [pdf(17 * MIB), pdf(17 * MIB)]],
      ['google/gemini-2.5-pro', pictures(2, 9 * MIB), pictures(2, 11 * MIB)],
      ['google/gemini-2.5-pro', [pdf(19 * MIB)], [pdf(21 * MIB)]],
      ['xai/grok-4', pictures(3, 19 * MIB), pictures(1, 21 * MIB)],
    ];
    for (const [modelId, fits, tooMuch] of limits) {
      expect(check(modelId, ...fits), modelId).to.equal('fine');
      expect(check(modelId, ...tooMuch), modelId).to.equal('validation_error');
    }
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
