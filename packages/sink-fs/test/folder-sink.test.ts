import { sinkSuite } from '@octo/plugin-testing/suites';
import { openFolder } from './open-folder.ts';

sinkSuite('the folder sink', openFolder, { boundaryBytes: [256 * 1024, 1024 * 1024] });
