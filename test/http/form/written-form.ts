/** One part of a form as it is written. Without `type` it says nothing of its media type. */
export type WrittenPart = Readonly<{ name: string; value: string | Buffer; fileName?: string; type?: string }>;

export const BOUNDARY = 'a-boundary';

export const FORM_TYPE = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };

/** The bytes of a form, to its last boundary. */
export const writtenForm = (parts: readonly WrittenPart[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(({ name, value, fileName, type }) => [
      Buffer.from(
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"` +
          (fileName === undefined ? '' : `; filename="${fileName}"`) +
          (type === undefined ? '' : `\r\nContent-Type: ${type}`) +
          '\r\n\r\n',
      ),
      Buffer.from(value),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);
