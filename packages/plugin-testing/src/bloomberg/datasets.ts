/** Bloomberg's ready-made datasets: snapshots by day, each with its files, and `latest` that points at the newest. */
import { collectionPage } from './collection.ts';
import { download } from './download.ts';
import type { RestAnswer, RestCall } from './rest-call.ts';
import type { BloombergRestFaults } from './rest-faults.ts';
import { RestRefusal } from './rest-refusal.ts';
import { ResponseStore, type BloombergResponse } from './response-store.ts';

/** A file of a snapshot. */
export interface BloombergSnapshot {
  readonly dataset: string;
  /** `20260115` */
  readonly snapshot: string;
  readonly file: string;
  readonly body: string | Uint8Array;
  readonly digest?: BloombergResponse['digest'];
  /** Whether the account has subscribed the dataset. Default `true`. */
  readonly subscribed?: boolean;
}

interface Dataset {
  readonly subscribed: boolean;
  readonly snapshots: Map<string, ResponseStore>;
}

export class Datasets {
  readonly #byName = new Map<string, Dataset>();

  put(published: BloombergSnapshot, nowMs: number): void {
    const { body, digest, file, snapshot, subscribed = true } = published;
    const dataset = getOrMake(this.#byName, published.dataset, () => ({
      subscribed,
      snapshots: new Map(),
    }));
    const files = getOrMake(dataset.snapshots, snapshot, () => new ResponseStore());
    files.put({ key: file, body, ...(digest !== undefined && { digest }) }, nowMs);
  }

  /** `q` finds by a part of the name; `subscribed=true` leaves out what is not. */
  list(call: RestCall): RestAnswer {
    const { query } = call;
    const found = [...this.#byName]
      .filter(([name]) => name.toLowerCase().includes((query.get('q') ?? '').toLowerCase()))
      .filter(([, { subscribed }]) => query.get('subscribed') !== 'true' || subscribed)
      .map(([name, { subscribed }]) => ({ ...described('Dataset', name), subscribed }));
    return collectionPage(found, call, {
      type: 'Datasets',
      parameters: ['q', 'sort', 'subscribed'],
    });
  }

  one(name: string): RestAnswer {
    this.#known(name);
    return { status: 200, body: described('Dataset', name) };
  }

  snapshots(name: string, call: RestCall): RestAnswer {
    const newestFirst = [...this.#known(name).snapshots.keys()].toSorted().toReversed();
    const views = newestFirst.map((snapshot) => described('Snapshot', snapshot));
    return collectionPage(views, call, { type: 'Snapshots' });
  }

  /** `latest` is answered with 303 and the same address under the newest snapshot. */
  snapshot(call: RestCall, name: string, snapshot: string): RestAnswer {
    const moved = this.#moved(call, name, snapshot);
    if (moved !== undefined) return moved;
    this.#files(name, snapshot);
    return { status: 200, body: described('Snapshot', snapshot) };
  }

  distributions(call: RestCall, name: string, snapshot: string): RestAnswer {
    const moved = this.#moved(call, name, snapshot);
    if (moved !== undefined) return moved;
    const views = this.#files(name, snapshot)
      .all()
      .map(({ contentType, key }) => ({
        '@type': 'Distribution',
        '@id': key,
        identifier: key,
        contentType,
      }));
    return collectionPage(views, call, { type: 'Distributions' });
  }

  distribution(
    call: RestCall,
    [name, snapshot, file]: readonly [string, string, string],
    faults: BloombergRestFaults,
  ): RestAnswer {
    const moved = this.#moved(call, name, snapshot);
    if (moved !== undefined) return moved;
    const found = this.#files(name, snapshot).get(file);
    if (found === undefined) throw new RestRefusal(404, `There is no distribution ${file}.`);
    return download(found, call, faults);
  }

  #moved({ path }: RestCall, name: string, snapshot: string): RestAnswer | undefined {
    if (snapshot !== 'latest') return undefined;
    const newest = [...this.#known(name).snapshots.keys()].toSorted().at(-1);
    if (newest === undefined) throw new RestRefusal(404, 'There is no snapshot yet.');
    const location = path.replace('/snapshots/latest', `/snapshots/${newest}`);
    return { status: 303, headers: { location } };
  }

  #files(name: string, snapshot: string): ResponseStore {
    const files = this.#known(name).snapshots.get(snapshot);
    if (files === undefined) throw new RestRefusal(404, `There is no snapshot ${snapshot}.`);
    return files;
  }

  #known(name: string): Dataset {
    const dataset = this.#byName.get(name);
    if (dataset === undefined) throw new RestRefusal(404, `There is no dataset ${name}.`);
    if (!dataset.subscribed) throw new RestRefusal(403, `The dataset ${name} is not subscribed.`);
    return dataset;
  }
}

function described(type: string, identifier: string): object {
  return { '@type': type, '@id': `${identifier}/`, identifier };
}

function getOrMake<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
