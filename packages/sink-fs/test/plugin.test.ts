import { pluginSuite } from '@octo/plugin-testing';
import plugin from '../src/index.ts';

pluginSuite(plugin);
