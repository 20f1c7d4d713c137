import { pluginSuite } from '@octo/plugin-testing/suites';
import plugin from '../src/index.ts';

pluginSuite(plugin);
