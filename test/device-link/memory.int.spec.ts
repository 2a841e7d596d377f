import { givenLinks } from './given-links.ts';
import { instanceScenarios } from './instances.scenarios.ts';
import { linkScenarios } from './link.scenarios.ts';
import { restartScenarios } from './restart.scenarios.ts';

describe('the device link', () => {
  describe('on one instance', () => {
    linkScenarios(() => givenLinks());
    restartScenarios(() => givenLinks(), false);
  });

  describe('on three instances', () => {
    linkScenarios(() => givenLinks({ instances: 3 }));
    instanceScenarios(() => givenLinks({ instances: 3 }));
  });
});
