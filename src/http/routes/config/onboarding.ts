import { json, publicEndpoint, type Endpoint } from '../../endpoint.ts';

/** Films that introduce the app: name to address. Empty when there are none. */
export type OnboardingVideos = Readonly<Record<string, string>>;

/** The addresses of films under a content server; throws when one is no URL. */
export const videosUnder = (baseUrl: string, paths: Readonly<Record<string, string>>): OnboardingVideos => {
  const base = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`;
  return Object.fromEntries(
    Object.entries(paths).map(([name, path]) => [name, new URL(path.replace(/^\/+/, ''), base).href]),
  );
};

/** What the mobile app shows before anybody has signed in. */
export const onboardingEndpoint = ({ videos }: Readonly<{ videos: OnboardingVideos }>): Endpoint =>
  publicEndpoint({
    method: 'GET',
    path: '/public/onboarding',
    limit: 'public',
    handle: () => Promise.resolve(json(200, { videos })),
  });
