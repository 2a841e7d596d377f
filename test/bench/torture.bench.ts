import { parseArgs } from 'node:util';
import { torture } from '../event-node/torture.ts';

// The whole torture: fifty kills. The suite runs a short one.

const { values } = parseArgs({ options: { kills: { type: 'string', default: '50' } } });
const report = await torture(Number(values.kills), () => 100 + Math.random() * 1200);
console.table([{ kills: report.kills, appended: report.appended, faults: report.faults.length }]);
for (const fault of report.faults.slice(0, 20)) console.log(fault);
console.log(JSON.stringify({ bench: 'torture', ...report, faults: report.faults.length, ratios: {} }));
process.exit(report.faults.length === 0 ? 0 : 1);
