/** Stands in for `@rushstack/ts-command-line` in the bundle: umzug only derives its unused command line from it. */
export class CommandLineAction {
  readonly options: unknown

  constructor(options: unknown) {
    this.options = options
  }
}

export class CommandLineParser extends CommandLineAction {}
