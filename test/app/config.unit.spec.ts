import { expect } from 'chai';
import { ConfigError, parseConfig } from '../../src/config.ts';

const faultsOf = (env: Record<string, string>): readonly string[] => {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};

describe('configuration', () => {
  it('needs nothing on a machine of one’s own', () => {
    const config = parseConfig({});
    expect(config).to.include({ HOST: '127.0.0.1', PORT: 8080, DATA_DIR: '.data', production: false });
    expect(config.roles).to.deep.equal(['web', 'projections', 'jobs']);
    expect(Object.isFrozen(config)).to.equal(true);
  });

  it('tells all faults at once, each with its variable', () => {
    const faults = faultsOf({
      PORT: 'x',
      LOG_LEVEL: 'loud',
      JWT_SECRET: 'short',
      FREE_CREDITS_AMOUNT: '-1',
      ROLES: 'web',
    });
    expect(faults.map((fault) => fault.split(':')[0])).to.have.members([
      'PORT',
      'LOG_LEVEL',
      'JWT_SECRET',
      'FREE_CREDITS_AMOUNT',
    ]);
    expect(faultsOf({ ROLES: 'web,cook' })[0]).to.contain('cook');
  });

  it('runs nothing embedded in production that must not be', () => {
    const faults = faultsOf({ NODE_ENV: 'production' });
    for (const name of ['EVENTSTORE_URL', 'DATABASE_URL', 'AUTH0_DOMAIN', 'JWT_SECRET', 'VAULT_MASTER_KEY']) {
      expect(faults.some((fault) => fault.startsWith(name))).to.equal(true);
    }
  });

  it('sends notifications with all that Apple asks for, or not at all', () => {
    const key = '-----BEGIN PRIVATE KEY-----\\nMIGH\\n-----END PRIVATE KEY-----';
    const whole = { APNS_TEAM_ID: 't', APNS_KEY_ID: 'k', APNS_PRIVATE_KEY: key, APNS_BUNDLE_ID: 'b' };
    expect(faultsOf(whole)).to.deep.equal([]);
    const missing = faultsOf({ APNS_TEAM_ID: 't', APNS_KEY_ID: 'k', APNS_PRODUCTION: '1' });
    expect(missing.map((fault) => fault.split(':')[0])).to.deep.equal(['APNS_PRIVATE_KEY', 'APNS_BUNDLE_ID']);
    expect(faultsOf({ ...whole, APNS_PRIVATE_KEY: 'secret' })).to.have.length(1);
  });

  it('takes an empty variable for none', () => {
    expect(parseConfig({ PORT: '', REDIS_URL: '' }).PORT).to.equal(8080);
  });
});
