import { publicEndpoint, type Endpoint } from '../../endpoint.ts';

const PAGES = {
  '/billing/success': ['Thank you', 'The payment has arrived. You may close this window and go back to the app.'],
  '/billing/cancel': ['Nothing was paid', 'You may close this window and go back to the app.'],
  '/billing/payment-method/success': ['Saved', 'The payment method is saved. You may go back to the app.'],
  '/billing/payment-method/cancel': ['Nothing was saved', 'You may close this window and go back to the app.'],
  '/billing/portal/return': ['Done', 'You may close this window and go back to the app.'],
} as const;

const page = (title: string, text: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 24rem; margin: 4rem auto; padding: 0 1rem }
@media (prefers-color-scheme: dark) { body { color: #e8e8e8; background: #16181b } }</style></head>
<body><main><h1>${title}</h1><p>${text}</p></main></body></html>
`;

/** Where browsers come back to from the payment provider when there is no website. */
export const returnPages = (): readonly Endpoint[] =>
  Object.entries(PAGES).map(([path, [title, text]]) =>
    publicEndpoint({
      method: 'GET',
      path,
      limit: 'public',
      handle: () => Promise.resolve({ kind: 'html', status: 200, body: page(title, text) }),
    }),
  );
