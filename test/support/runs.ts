const size = Number(process.env['PROPERTY_SIZE'] ?? 1);

/** How often a property is tried: `usual` times, or so many times as often as PROPERTY_SIZE says. */
export const runs = (usual: number): number => Math.round(usual * size);
