import type { Config, Region } from '../config.ts';

/** The regions as configured, else this server alone: a list without any would leave the app's picker empty. */
export const regionsOf = ({ regions, PUBLIC_URL, HOST }: Config, port: number): readonly Region[] =>
  regions.length > 0
    ? regions
    : [{ label: 'This server', url: PUBLIC_URL ?? `http://${HOST}:${port}`, isDefault: true }];
