import { masterKeyFinder } from '../secrets/master-key.ts';
import { secretPlaceOf, type SecretPlace } from '../secrets/secret-place.ts';
import { SecretStore } from '../secrets/secret-store.ts';
import { askAt } from './ask-at.ts';
import { stringOption, type Args } from './command.ts';
import type { Environment } from './environment.ts';
import { workplaceOf } from './workplace.ts';

/** The secret store of the workplace; nothing is read yet. @throws OctoError as `secretPlaceOf` */
export function secretStoreOf(args: Args, environment: Environment): SecretStore {
  const place = secretPlaceFor(args, environment);
  return new SecretStore({ place, key: masterKeyFinder(place.key, askAt(environment)) });
}

/** `--secrets`, `OCTO_SECRETS`, or `secrets.age` in the state folder; and the master key. */
export function secretPlaceFor(args: Args, environment: Environment): SecretPlace {
  const { env, cwd } = environment;
  const { stateFolder } = workplaceOf(args, environment);
  return secretPlaceOf({ env, cwd, stateFolder, file: stringOption(args, 'secrets') });
}
