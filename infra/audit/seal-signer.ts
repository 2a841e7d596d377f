import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { keyIdOf, signedText, type SealSigner } from '../../src/kernel/seal.ts';

/** What stands before the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410, section 7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Signs with the Ed25519 key of a seed of 32 bytes, in hex. */
export const sealSigner = (seed: string): SealSigner => {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, Buffer.from(seed, 'hex')]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key).export({ format: 'jwk' }).x;
  if (publicKey === undefined) throw new Error('the key has no public part');
  const keyId = keyIdOf(publicKey);
  return {
    keyId,
    seal: (statement) => {
      const said = { ...statement, keyId, publicKey };
      return { ...said, signature: sign(null, Buffer.from(signedText(said)), key).toString('base64url') };
    },
  };
};
