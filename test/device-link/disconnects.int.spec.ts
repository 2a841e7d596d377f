import { startRedis } from '../support/redis-server.ts';
import { disconnectScenario } from './disconnects.scenarios.ts';
import { givenLinks, meetingIn } from './given-links.ts';

/** A desktop comes back as soon as the machine lets it; that the link waits for it only so long is not the matter here. */
const timing = { holdMs: 8_000 };

describe('the device link under disconnects', () => {
  describe('on one instance', () => {
    disconnectScenario(1, () => givenLinks({ timing }));
  });

  describe('on three instances', () => {
    disconnectScenario(2, () => givenLinks({ instances: 3, timing }));
  });

  describe('on three instances that meet in Redis', () => {
    let server: Awaited<ReturnType<typeof startRedis>> | undefined;
    before(async function () {
      server = await startRedis(this);
    });
    after(async () => {
      await server?.remove();
    });
    disconnectScenario(3, () => givenLinks({ instances: 3, timing, meeting: meetingIn(server!.url) }));
  });
});
