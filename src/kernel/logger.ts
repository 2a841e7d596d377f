type Write = (fields: object, message: string) => void;

/** The part of pino that the rooms use. Fields never hold secrets, prompts or personal data. */
export type Logger = Readonly<{ debug: Write; info: Write; warn: Write; error: Write }>;

const ignore: Write = () => undefined;

/** Says nothing; for tests and tools. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
