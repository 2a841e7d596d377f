import type { Building, ProjectionStatus } from '../../infra/postgres/projection-status.ts';

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

const lagText = ({ lagSeconds }: ProjectionStatus): string =>
  lagSeconds === null ? 'unknown' : `${lagSeconds.toFixed(lagSeconds === 0 ? 0 : 1)} s`;

/** How far something is, in words. */
export const progressText = ({ progress, events }: Pick<ProjectionStatus, 'progress' | 'events'>): string => {
  if (progress === null) return `${events} events`;
  const eta = progress.etaSeconds === null ? '' : `, ${progress.etaSeconds} s to go`;
  return `${percent(progress.part)}, ${events} events, ${progress.rate} a second${eta}`;
};

const stoppedLine = ({ failure }: Pick<ProjectionStatus, 'failure'>): readonly string[] =>
  failure === null
    ? []
    : [
        `  stopped at position ${failure.position ?? '-'} (${failure.eventType ?? 'no event'} ${failure.eventId ?? ''}): ${failure.cause}, tried ${failure.attempts} times since ${failure.since}`,
      ];

const buildingLines = (building: Building | null): readonly string[] =>
  building === null
    ? []
    : [
        `  being built beside: ${building.state}  version ${building.version}  owner ${building.owner ?? '-'}  ${progressText(building)}`,
        ...stoppedLine(building),
      ];

/** A status for people: a line, and one each for what is special. */
export const line = (status: ProjectionStatus): string => {
  const { name, state, version, position, owner, building, replaced } = status;
  const told = [
    name.padEnd(16),
    state.padEnd(12),
    `position ${position ?? '-'}`,
    `lag ${lagText(status)}`,
    `version ${version}`,
    `owner ${owner ?? '-'}`,
    progressText(status),
  ];
  const kept = replaced === null ? [] : [`  replaced: version ${replaced.version}, which undo brings back`];
  return [told.join('  '), ...stoppedLine(status), ...buildingLines(building), ...kept].join('\n');
};
