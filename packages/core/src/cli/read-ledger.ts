import type { Delivery } from '../ledger/delivery.ts';
import type { Ledger, ListFilter } from '../ledger/ledger.ts';
import { stringOption, type Args } from './command.ts';
import type { Environment } from './environment.ts';
import { quietLogger } from './logger-for.ts';
import { workplaceOf } from './workplace.ts';

/** Opens the ledger of the workplace, for a command that needs neither manifest nor plugins. */
export async function openLedgerOf(args: Args, environment: Environment): Promise<Ledger> {
  const { stateFolder } = workplaceOf(args, environment);
  const { env, rooms } = environment;
  return await rooms.openLedger({
    stateFolder,
    databaseUrl: env['DATABASE_URL'],
    logger: await quietLogger(args, environment),
  });
}

/** The deliveries that NAME means: exactly so called, else those that contain it. */
export async function deliveriesNamed(
  name: string,
  args: Args,
  ledger: Ledger,
  limit: number,
): Promise<Delivery[]> {
  const pipeline = stringOption(args, 'pipeline');
  const filter = (match: string): ListFilter => ({
    match,
    limit,
    ...(pipeline === undefined ? {} : { pipeline }),
  });
  const exact = await ledger.list(filter(name));
  return exact.length > 0 || name.includes('*') ? exact : await ledger.list(filter(`*${name}*`));
}
