import { createHash, timingSafeEqual } from 'node:crypto';
import { DomainError } from '../../../kernel/errors.ts';
import type { Activity } from '../../activity.ts';
import { json, publicEndpoint } from '../../endpoint.ts';

export type DeploymentDeps = Readonly<{
  /** What the deployment scripts prove themselves with; undefined switches the check off. */
  token: string | undefined;
  version: string;
  color: string;
  port: () => number;
  uptimeSeconds: () => number;
  activity: () => Activity;
}>;

const digest = (text: string) => createHash('sha256').update(text).digest();

const sameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

const refuseStrangers = (token: string | undefined, authorization: string | undefined): void => {
  if (token === undefined) {
    throw new DomainError('configuration_error', 'no deployment token is set on this server; set one to use this');
  }
  const offered = authorization?.replace(/^Bearer /, '') ?? '';
  if (!sameSecret(offered, token)) {
    throw new DomainError('authentication_error', 'the deployment token is missing or wrong; send the right one');
  }
};

/** What a blue-green switch needs to know before it takes an instance down. */
export const deployment = (deps: DeploymentDeps) =>
  publicEndpoint({
    method: 'GET',
    path: '/health/deployment',
    limit: 'health',
    handle: ({ header }) => {
      refuseStrangers(deps.token, header('authorization'));
      const { activeRequests, activeStreams, activeSockets } = deps.activity();
      return Promise.resolve(
        json(200, {
          status: 'ok',
          version: deps.version,
          activeStreams,
          activeRequests,
          activeSockets,
          deploymentColor: deps.color,
          port: deps.port(),
          uptimeSeconds: Math.floor(deps.uptimeSeconds()),
          readyForShutdown: activeRequests + activeStreams + activeSockets === 0,
        }),
      );
    },
  });
