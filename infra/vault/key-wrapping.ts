import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** A key in use: one half encrypts, the other tells plaintexts apart. */
export type SubjectKey = Readonly<{ cipher: Buffer; digest: Buffer }>;

const IV_BYTES = 12;
const TAG_BYTES = 16;

export type Encrypted = Readonly<{ iv: Buffer; ct: Buffer; tag: Buffer }>;

/** AES-256-GCM with a fresh nonce; `aad` must be equal on decryption. */
export const encrypt = (key: Buffer, aad: string, plain: Buffer): Encrypted => {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(aad, 'utf8'));
  const ct = Buffer.concat([cipher.update(plain), cipher.final()]);
  return { iv, ct, tag: cipher.getAuthTag() };
};

/** Throws when the key, `aad` or any bit differs. */
export const decrypt = (key: Buffer, aad: string, { iv, ct, tag }: Encrypted): Buffer => {
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(aad, 'utf8')).setAuthTag(tag);
  return Buffer.concat([decipher.update(ct), decipher.final()]);
};

const bothHalves = (secret: Buffer): SubjectKey => {
  const part = (use: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', use, 32));
  return { cipher: part('seal'), digest: part('digest') };
};

/** Wraps the keys of subjects with the master key, which is 32 bytes in hex. */
export const keyWrapping = (masterKeyHex: string) => {
  const master = Buffer.from(masterKeyHex, 'hex');
  if (master.length !== 32) throw new Error('the master key of the vault must be 32 bytes in hex');

  /** The key in use. Throws when it was wrapped with another master key or for another subject. */
  const unwrap = (subject: string, wrapped: Buffer): SubjectKey => {
    const iv = wrapped.subarray(0, IV_BYTES);
    const tag = wrapped.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
    const ct = wrapped.subarray(IV_BYTES + TAG_BYTES);
    try {
      return bothHalves(decrypt(master, subject, { iv, ct, tag }));
    } catch (error) {
      throw new Error('a key of the vault cannot be unwrapped: was it made with another master key?', { cause: error });
    }
  };

  /** A new random key, wrapped. */
  const wrapNew = (subject: string): Buffer => {
    const { iv, ct, tag } = encrypt(master, subject, randomBytes(32));
    return Buffer.concat([iv, tag, ct]);
  };

  return { unwrap, wrapNew };
};
