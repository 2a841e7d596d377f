import { z } from 'zod';
import { publicEndpoint, type Endpoint, type Reply } from '../../endpoint.ts';
import { onWebsite, type LoginAddresses } from './login-addresses.ts';

const page = (title: string, text: string): Reply => ({
  kind: 'html',
  status: 200,
  body: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 24rem; margin: 4rem auto; padding: 0 1rem }
@media (prefers-color-scheme: dark) { body { color: #e8e8e8; background: #16181b } }</style></head>
<body><main><h1>${title}</h1><p>${text}</p></main></body></html>
`,
});

/** Where the browser ends after a login when there is no website. */
export const callbackPage = (): Endpoint =>
  publicEndpoint({
    method: 'GET',
    path: '/auth/callback',
    limit: 'public',
    query: z.object({ error: z.string().optional() }),
    handle: ({ query: { error } }) =>
      Promise.resolve(
        error === undefined
          ? page('You are signed in', 'You may close this window and go back to the app.')
          : page('The sign-in did not succeed', 'You may close this window and try again from the app.'),
      ),
  });

/** Where the identity provider sends the browser after a logout. */
export const loggedOut = ({ websiteBaseUrl }: LoginAddresses): Endpoint =>
  publicEndpoint({
    method: 'GET',
    path: '/auth/auth0/logged-out',
    limit: 'public',
    handle: () =>
      Promise.resolve(
        websiteBaseUrl === undefined
          ? page('You are signed out', 'You may close this window.')
          : { kind: 'redirect', location: onWebsite(websiteBaseUrl, '/auth/auth0/logged-out') },
      ),
  });
