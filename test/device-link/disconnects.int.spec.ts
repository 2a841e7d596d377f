import { startRedis } from '../support/redis-server.ts';
import { disconnectScenario } from './disconnects.scenarios.ts';
import { givenLinks, meetingIn } from './given-links.ts';

describe('the device link under disconnects', () => {
  describe('on one instance', () => {
    disconnectScenario(1, () => givenLinks());
  });

  describe('on three instances', () => {
    disconnectScenario(2, () => givenLinks({ instances: 3 }));
  });

  describe('on three instances that meet in Redis', () => {
    let server: Awaited<ReturnType<typeof startRedis>> | undefined;
    before(async function () {
      server = await startRedis(this);
    });
    after(async () => {
      await server?.remove();
    });
    disconnectScenario(3, () => givenLinks({ instances: 3, meeting: meetingIn(server!.url) }));
  });
});
