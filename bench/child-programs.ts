import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bundleModules } from '../infra/bundle-runtime.ts'

/**
 * Bundles a module as the function is.
 *
 * @param entry Path from the project's root.
 * @returns the bundle's path
 */
export async function writeBundle(directory: string, entry: string): Promise<string> {
  await mkdir(directory)
  const files = bundleModules({ child: entry, 'pg-dump-worker': 'lambda/snapshot/pg-dump-worker.ts' })
  for (const { path, contents } of files) await writeFile(join(directory, path), contents)
  return join(directory, 'child.mjs')
}

/** Runs `work` beside a server in a process of its own, a module of this directory that tells its URL on its first line. */
export async function withServerProcess<T>(
  module: string,
  args: readonly string[],
  work: (url: string) => Promise<T>,
): Promise<T> {
  const path = new URL(module, import.meta.url).pathname
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const url = await new Promise<string>((resolve, reject) => {
      child.once('error', reject)
      child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()))
    })
    return await work(url)
  } finally {
    child.kill()
  }
}
