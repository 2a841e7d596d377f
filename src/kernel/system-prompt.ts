import type { IsoTime } from './message.ts';

/** What a model is told before a kind of task; clients read it and send it with their requests. */
export type SystemPrompt = Readonly<{
  taskType: string;
  text: string;
  description: string | null;
  version: string;
  createdAt: IsoTime;
  updatedAt: IsoTime;
}>;
