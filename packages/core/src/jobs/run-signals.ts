/** Reasons for which a run is stopped from outside. */
export class RunLost extends Error {
  constructor() {
    super('another host took the run over');
    this.name = 'RunLost';
  }
}

export class RunCancelled extends Error {
  readonly by: string;

  constructor(by: string) {
    super(`the run was cancelled by ${by}`);
    this.name = 'RunCancelled';
    this.by = by;
  }
}

export class HostStopping extends Error {
  constructor() {
    super('the host stops; the run goes back into the queue');
    this.name = 'HostStopping';
  }
}
