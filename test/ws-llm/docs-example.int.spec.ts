import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { givenSandbox, type GivenSandbox } from './given-socket.ts';

const example = /```js\n([\s\S]+?)```/.exec(readFileSync('docs/ws-llm.md', 'utf8'))?.[1] ?? '';

/** Runs the example; `told` hears what it has printed so far. */
const run = async (url: string, source: string, told: (said: string) => void = () => undefined): Promise<string> => {
  const child = spawn(process.execPath, ['--input-type=module', '-'], {
    env: { WS_URL: `${url.replace('http', 'ws')}/ws/llm`, TOKEN: 'ada' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  const hear = (text: string): void => {
    said += text;
    told(said);
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  child.stdin.end(source);
  await once(child, 'close');
  return said;
};

describe('docs/ws-llm.md', () => {
  let given: GivenSandbox;
  beforeEach(async () => {
    given = await givenSandbox();
  });
  afterEach(() => given.close());

  const charged = (): string => {
    const { metered } = given.last('ReservationCaptured')!.data;
    return `${metered.usage.outputVisible} tokens, ${Number(metered.cost) / 1e6} USD`;
  };

  it('has a client that works', async () => {
    expect(await run(given.url, example)).to.equal(`Hello, world\n${charged()}\n`);
  });

  it('has a client that comes back for the rest, as often as it must', async () => {
    const slow = example.replace("'Hello, world'", "'[[sandbox delay=40 tokens=12]]a b c d e f g h i j k l m n'");
    const cuts = ['a b', 'a b c d e', 'a b c d e f g h'];
    const said = await run(given.url, slow, (text) => {
      if (cuts[0] !== undefined && text.length >= cuts[0].length) {
        cuts.shift();
        given.closeSockets();
      }
    });
    expect(said).to.equal(`a b c d e f g h i j k l\n${charged()}\n`);
    expect(cuts).to.deep.equal([]);
    expect(given.sandbox.stats().requests).to.equal(1);
  });
});
