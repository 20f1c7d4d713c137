import { systemClock } from '../../src/host/system-clock.ts';
import { runsSuite } from '../jobs/runs-suite.ts';
import { MemoryRuns } from './memory-runs.ts';

runsSuite(async () => new MemoryRuns(systemClock));
