import type { Tool, ToolChoice, UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { describedSchema } from '../shared/described-schema.ts';
import { contentsOf, instructionOf } from './generate-content.ts';
import { LONGEST_ANSWER } from './model-traits.ts';
import { thinkingConfig } from './thinking.ts';

const declarationOf = ({ name, description, parameters }: Tool): object => ({
  name,
  description,
  parametersJsonSchema: parameters,
});

const callingOf = (choice: ToolChoice | undefined, strict: boolean): object | undefined => {
  if (typeof choice === 'object') return { mode: 'ANY', allowedFunctionNames: [choice.name] };
  if (choice === 'none') return { mode: 'NONE' };
  if (choice === 'required') return { mode: 'ANY' };
  // Keeps the model to the schemas, like ANY, and leaves it the choice.
  if (strict) return { mode: 'VALIDATED' };
  return choice === undefined ? undefined : { mode: 'AUTO' };
};

const toolsOf = ({ tools, toolChoice }: UpstreamRequest): object => {
  if (tools.length === 0) return {};
  const calling = callingOf(
    toolChoice,
    tools.some(({ strict }) => strict === true),
  );
  return {
    tools: [{ functionDeclarations: tools.map(declarationOf) }],
    toolConfig: calling === undefined ? undefined : { functionCallingConfig: calling },
  };
};

const formatOf = ({ responseFormat }: UpstreamRequest): object => {
  if (responseFormat === undefined || responseFormat.type === 'text') return {};
  return {
    responseMimeType: 'application/json',
    responseJsonSchema: responseFormat.type === 'json_schema' ? describedSchema(responseFormat) : undefined,
  };
};

/** A request in the words of generateContent. It must have passed the check. Members that are undefined are left out. */
export const generateRequest = (request: UpstreamRequest): unknown => {
  const { maxTokens, sampling } = request;
  return {
    contents: contentsOf(request),
    systemInstruction: instructionOf(request),
    generationConfig: {
      maxOutputTokens: maxTokens === undefined ? undefined : Math.min(maxTokens, LONGEST_ANSWER),
      temperature: sampling.temperature,
      topP: sampling.topP,
      topK: sampling.topK,
      seed: sampling.seed,
      frequencyPenalty: sampling.frequencyPenalty,
      presencePenalty: sampling.presencePenalty,
      stopSequences: sampling.stop,
      thinkingConfig: thinkingConfig(request),
      ...formatOf(request),
    },
    ...toolsOf(request),
  };
};
