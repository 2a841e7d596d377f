import type { Config } from '../config.ts';
import type { Parts } from './parts.ts';

/** What `npm start` says when everything is up: where things are, and requests to paste. */
export const firstSteps = (config: Config, parts: Parts, url: string | undefined): string => {
  const roles = config.roles.join(', ');
  if (url === undefined) return `Running (${roles}).`;
  const lines = [
    '',
    `PlanToCode server on ${url}  (${roles})`,
    `  state in ${parts.dataDir}, event store ${parts.eventStoreUrl}`,
  ];
  if (parts.issuerUrl !== undefined) lines.push(`  sign-in page ${parts.issuerUrl}`);
  if (parts.paymentsUrl !== undefined) lines.push(`  payment pages ${parts.paymentsUrl} (no money moves)`);
  if (parts.issuerUrl !== undefined && parts.sandboxUrl !== undefined) {
    lines.push(
      '',
      'Try it in another terminal:',
      '  TOKEN=$(npm run --silent login -- --email ada@example.test)',
      `  curl -sN ${url}/api/llm/chat/completions -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\`,
      `    -d '{"model":"sandbox/echo","stream":true,"max_tokens":200,"messages":[{"role":"user","content":"Hello, world"}]}'`,
    );
  }
  if (parts.issuerUrl !== undefined && parts.paymentsUrl !== undefined) {
    lines.push(
      '',
      'Buy credit: open the `url` of the first answer and save a card, then the one of the second and pay:',
      `  curl -s -X POST ${url}/api/billing/checkout/setup-session -H "Authorization: Bearer $TOKEN"`,
      `  curl -s ${url}/api/billing/checkout/custom-credit-session -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\`,
      `    -d '{"amount":20}'`,
    );
  }
  return [...lines, '', 'Ctrl-C stops everything.', ''].join('\n');
};
