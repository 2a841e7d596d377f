import { startRedis } from '../support/redis-server.ts';
import { givenLinks, meetingIn } from './given-links.ts';
import { instanceScenarios } from './instances.scenarios.ts';
import { linkScenarios } from './link.scenarios.ts';
import { restartScenarios } from './restart.scenarios.ts';

describe('the device link in Redis', () => {
  let server: Awaited<ReturnType<typeof startRedis>> | undefined;
  before(async function () {
    server = await startRedis(this);
  });
  after(async () => {
    await server?.remove();
  });

  describe('on one instance', () => {
    restartScenarios(() => givenLinks({ meeting: meetingIn(server!.url) }), true);
  });

  describe('on three instances', () => {
    const make = () => givenLinks({ instances: 3, meeting: meetingIn(server!.url) });
    linkScenarios(make);
    instanceScenarios(make);
  });
});
