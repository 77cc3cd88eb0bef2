import { messageOf } from '../../lambda/errors.ts'

/** Runs a command and leaves with its exit code; with 2, and the usage, when its options cannot be read. */
export async function runCommand<Options>(command: {
  readonly usage: string
  /** @throws Error with a message for a person. */
  readonly readOptions: (args: readonly string[]) => Options
  readonly main: (options: Options) => Promise<number>
}): Promise<never> {
  // Leaves through "exit", where the embedded servers are stopped.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
  const asked = read(command)
  process.exit(asked === null ? 2 : await command.main(asked))
}

function read<Options>({
  usage,
  readOptions,
}: {
  readonly usage: string
  readonly readOptions: (args: readonly string[]) => Options
}): Options | null {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${usage}`)
    return null
  }
}
