import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The repository. */
export const PROJECT = join(import.meta.dirname, '..', '..')

const NOT_COPIED = ['node_modules', '.git', '.lockstep', 'cdk.out', 'dist']

/**
 * Builds and packs the project in a copy of it, so that runs at the same time do not share `dist`, and unpacks the
 * package as npm would install it. Gives the tarball.
 */
export function installPackage(copy: string, consumer: string): string {
  cpSync(PROJECT, copy, {
    recursive: true,
    filter: (source) => !NOT_COPIED.some((name) => source === join(PROJECT, name)),
  })
  symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'))
  succeed('npm', ['pack'], copy)
  const name = readdirSync(copy).find((file) => file.endsWith('.tgz')) ?? ''
  const installed = join(consumer, 'node_modules', 'cdk-lockstep')
  mkdirSync(installed, { recursive: true })
  succeed('tar', ['-xzf', join(copy, name), '-C', installed, '--strip-components=1'], copy)
  link(consumer)
  return join(copy, name)
}

/** The commands' links, and beside the package what it says that it needs: nothing else can be imported. */
function link(consumer: string): void {
  const modules = join(consumer, 'node_modules')
  const { bin, dependencies, peerDependencies } = readManifest(join(modules, 'cdk-lockstep'))
  for (const [command, file] of Object.entries(bin)) {
    mkdirSync(join(modules, '.bin'), { recursive: true })
    symlinkSync(join(modules, 'cdk-lockstep', file), join(modules, '.bin', command))
  }
  for (const name of [...Object.keys({ ...dependencies, ...peerDependencies }), '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(PROJECT, 'node_modules', name), join(modules, name))
  }
}

interface Manifest {
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

function readManifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest
}

/** Runs a program to its end and gives its output, stdout and stderr together. */
export function run(
  program: string,
  args: readonly string[],
  directory: string,
): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: directory, encoding: 'utf8' })
  return { status, output: `${stdout}${stderr}${error?.message ?? ''}` }
}

/** @throws Error with the program's output when it fails. */
export function succeed(program: string, args: readonly string[], directory: string): string {
  const { status, output } = run(program, args, directory)
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${output}`)
  return output
}
