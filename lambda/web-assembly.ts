import { setFlagsFromString } from 'node:v8'

/**
 * Lets V8 run WebAssembly as its baseline compiler made it. The optimising one works on the huge functions of the SQL
 * parser in the background while a run goes on: a run of 100 migrations then takes 530 to 640 MB and, on two cores,
 * twice the time; without it, 115 MB. Must be called before the first module is compiled; again does no harm.
 */
export function useBaselineWebAssembly(): void {
  for (const flag of ['--liftoff', '--liftoff-only', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) {
    setFlagsFromString(flag)
  }
}
