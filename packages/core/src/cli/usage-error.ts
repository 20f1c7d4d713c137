/** The command line itself is wrong. The message names what and suggests; `help` is the command that explains. */
export class UsageError extends Error {
  readonly help: string;

  constructor(message: string, help = 'octo-host help') {
    super(message);
    this.name = 'UsageError';
    this.help = help;
  }
}
