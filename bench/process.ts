import { spawn } from 'node:child_process'

export interface Finished {
  readonly seconds: number
  readonly output: string
}

/** Runs a program to its end. Fails when it does. */
export function runProgram(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment })
    let [output, errors] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.on('error', reject)
    child.on('close', (status) => {
      if (status === 0) resolve({ seconds: (performance.now() - began) / 1000, output })
      else reject(new Error(`${program} ended with ${status}: ${errors.slice(0, 2000)}`))
    })
  })
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}
