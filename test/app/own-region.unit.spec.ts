import { expect } from 'chai';
import { regionsOf } from '../../src/app/own-region.ts';
import { parseConfig } from '../../src/config.ts';

describe('the regions that apps can choose from', () => {
  it('are this server when none is configured', () => {
    const [own, ...others] = regionsOf(parseConfig({}), 8123);
    expect(own).to.deep.equal({ label: 'This server', url: 'http://127.0.0.1:8123', isDefault: true });
    expect(others).to.deep.equal([]);
    expect(regionsOf(parseConfig({ PUBLIC_URL: 'https://api.example' }), 8123)[0]?.url).to.equal('https://api.example');
  });

  it('are those that are configured', () => {
    const regions = [{ label: 'Europe', url: 'https://eu.example', isDefault: true }];
    expect(regionsOf(parseConfig({ SERVER_REGIONS: JSON.stringify(regions) }), 8123)).to.deep.equal(regions);
  });
});
