import { createHash } from 'node:crypto'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** These take minutes: begun last, one of them would run alone at the end. */
const LONG = ['/e2e/scenarios.test.ts', '/integration/chaos.test.ts']

/** The long files first, all others in the random order of the run's seed. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { seed } = this.ctx.config.sequence
    const rank = ({ moduleId }: TestSpecification): string => {
      const isLong = LONG.some((end) => moduleId.endsWith(end))
      return `${isLong ? 0 : 1} ${createHash('sha256').update(`${seed} ${moduleId}`).digest('hex')}`
    }
    return files.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1))
  }
}
