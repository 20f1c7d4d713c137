import { expect, test } from 'vitest';
import { RecordingLogger } from '../src/recording-logger.ts';

test('a recording logger keeps level, message and fields in order', () => {
  const logger = new RecordingLogger();
  logger.info({ key: 'a' }, 'object written');
  logger.error({ key: 'b' }, 'disk full');
  logger.debug({}, 'detail');
  logger.warn({}, 'slow');
  expect(logger.entries[1]).toEqual({ level: 'error', message: 'disk full', fields: { key: 'b' } });
  expect(logger.messages()).toEqual(['object written', 'disk full', 'detail', 'slow']);
  expect(logger.messages('error')).toEqual(['disk full']);
});
