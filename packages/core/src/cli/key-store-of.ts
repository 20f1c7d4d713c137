import type { KeyStore } from '../auth/key-store.ts';
import type { Args } from './command.ts';
import type { Environment } from './environment.ts';
import { quietLogger } from './logger-for.ts';
import { workplaceOf } from './workplace.ts';

/** The API's keys, in the database of the workplace; a running host knows of changes within two seconds. */
export async function keyStoreOf(
  args: Args,
  environment: Environment,
): Promise<{ readonly store: KeyStore } & AsyncDisposable> {
  const { stateFolder } = workplaceOf(args, environment);
  const { env, rooms } = environment;
  const opened = await rooms.openDatabase({
    stateFolder,
    databaseUrl: env['DATABASE_URL'],
    logger: await quietLogger(args, environment),
  });
  const { openKeys } = await import('../auth/open-auth.ts');
  try {
    const { store } = await openKeys(opened.database, stateFolder);
    return { store, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}
