import { expect } from 'chai';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Browser, Page } from 'puppeteer-core';
import { chromiumPath, startChromium } from '../support/chromium.ts';
import { signIn, startServer, temporaryDataDir, until, type RunningServer } from '../support/running-server.ts';

type Json = Readonly<Record<string, unknown>>;

describe('the local pages in a real browser', function () {
  this.timeout(180_000);
  const data = temporaryDataDir();
  const path = chromiumPath();
  let server: RunningServer;
  let browser: Browser;
  let page: Page;
  let token: string;

  const api = async (method: string, where: string, body?: unknown): Promise<Json> => {
    const response = await fetch(`${server.url}/api/billing${where}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(response.status, where).to.equal(200);
    return (await response.json()) as Json;
  };
  /** What stands in a part of the page, as its own script would read it. */
  const textOf = async (selector: string): Promise<string> =>
    String(await page.evaluate(`document.querySelector('${selector}').textContent`));
  const shown = (): Promise<string> => textOf('main');
  /** Clicks, and waits for the page that this leads to. */
  const follow = async (selector: string): Promise<void> => {
    await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.click(selector)]);
  };
  const fill = async (name: string, text: string): Promise<void> => {
    await page.$eval(`input[name="${name}"]`, (input) => {
      (input as { value: string }).value = '';
    });
    await page.type(`input[name="${name}"]`, text);
  };
  const paid = (session: Json): Promise<true> =>
    until('the purchase is credited', async () => {
      const { paymentStatus } = await api('GET', `/checkout/session-status/${String(session['sessionId'])}`);
      return paymentStatus === 'paid' ? true : undefined;
    });

  before(async function () {
    if (path === undefined) {
      console.log('    no chromium on this machine: the local pages were not tried in a browser');
      this.skip();
    }
    server = await startServer(data.path);
    [browser, token] = await Promise.all([startChromium(path), signIn(server, 'clicks@example.test')]);
    page = await browser.newPage();
  });
  after(async () => {
    if (path !== undefined) {
      await browser.close();
      await server.stop();
    }
    data.remove();
  });

  it('sign somebody in', async () => {
    const about = (await (await fetch(`${server.url}/.well-known/plantocode-server`)).json()) as Record<string, string>;
    const [pid, csrf] = [randomUUID(), randomBytes(24).toString('base64url')];
    const start = new URL('/auth/auth0/initiate-login', server.url);
    start.search = new URLSearchParams({
      ...{
        pid,
        csrf_tauri: csrf,
        challenge_method: 'S256',
        challenge: createHash('sha256').update(pid).digest('base64url'),
      },
      ...{ client_id: about['clientId'] ?? '', audience: about['audience'] ?? '', scope: about['scope'] ?? '' },
      redirect_uri: about['redirectUri'] ?? '',
    }).toString();
    await page.goto(start.href);
    expect(await shown()).to.contain('Who are you?');
    await page.type('input[type=email]', 'typed@example.test');
    await follow('form:last-of-type button');
    const answer = await fetch(`${server.url}/auth0/poll-status?pid=${pid}`);
    expect(await answer.json()).to.deep.include({ status: 'ready', tauriCsrfToken: csrf });
  });

  it('take a card and an address, and say which fields are missing', async () => {
    const setup = await api('POST', '/checkout/setup-session');
    await page.goto(String(setup['url']));
    await fill('name', 'Grace Hopper');
    await page.$eval('input[name="country"]', (input) => {
      (input as { value: string }).value = '';
    });
    await page.click('button.main');
    expect(await page.$$eval('input:invalid', (inputs) => inputs.length)).to.equal(1);
    expect(page.url()).to.equal(setup['url']);
    await fill('country', 'US');
    await follow('button.main');
    expect(page.url()).to.contain(`/billing/payment-method/success?session_id=${String(setup['sessionId'])}`);
    expect(await shown()).to.contain('The payment method is saved');
    const dashboard = await until('the card is known', async () => {
      const now = await api('GET', '/dashboard');
      return now['isPaymentMethodRequired'] === false ? now : undefined;
    });
    expect(dashboard['customerBillingInfo']).to.include({ customerName: 'Grace Hopper' });
  });

  it('have a card declined, and another one pay', async () => {
    const session = await api('POST', '/checkout/custom-credit-session', { amount: 20 });
    await page.goto(String(session['url']));
    expect(await shown()).to.contain('Pay $20.00');
    await page.click('input[value="declined"]');
    await follow('button.main');
    expect(await textOf('[role=alert]')).to.contain('declined');
    await page.click('input[value="card"]');
    await follow('button.main');
    expect(page.url()).to.contain(`/billing/success?session_id=${String(session['sessionId'])}`);
    await paid(session);
    expect((await api('GET', '/dashboard'))['creditBalanceUsd']).to.equal(18);
  });

  it('let somebody leave without paying, and manage their cards', async () => {
    const session = await api('POST', '/checkout/custom-credit-session', { amount: 5 });
    await page.goto(String(session['url']));
    await follow('form[action$="/cancel"] button');
    expect(new URL(page.url()).pathname).to.equal('/billing/cancel');
    const { url } = await api('POST', '/create-portal-session');
    await page.goto(String(url));
    const before = await page.$$eval('li', (methods) => methods.length);
    await follow('button[value=add]');
    expect(await page.$$eval('li', (methods) => methods.length)).to.equal(before + 1);
    await follow('button[value=default]');
    await follow('a');
    expect(new URL(page.url()).pathname).to.equal('/billing/portal/return');
  });
});
