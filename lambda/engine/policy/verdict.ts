import type { ResolvedPolicy } from '../../analysis-contract.ts'
import { violationText, type Violation } from './existing-data.ts'
import { hazardProblem, hazardText, judgeTaken, judgeUnknown, severeHazards } from './judge-hazards.ts'
import { judgeDownSnapshot, judgeSnapshot } from './judge-snapshot.ts'
import type { Migration } from '../migration/migration.ts'
import { isRepeatable } from '../migration/repeatable.ts'
import type { PolicyProblem, PolicyVerdict, RunFacts } from './run-facts.ts'

/** Decides whether a run may begin. Pure. */
export function judgeRun(resolved: ResolvedPolicy, run: RunFacts): PolicyVerdict {
  return run.steps[0]?.direction === 'up' ? judgeUp(resolved, run) : judgeDown(resolved, run)
}

function judgeDown({ policy }: ResolvedPolicy, run: RunFacts): PolicyVerdict {
  // What undoes a repeatable is the text before: nothing is lost.
  const facts = { ...run, steps: run.steps.filter((step) => !isRepeatable(step)) }
  if (facts.steps.length === 0) return { problems: [], warnings: [] }
  return {
    problems: [...judgeConfirmation(policy.confirmDowns, facts), ...judgeDownSnapshot(policy.requireSnapshot, facts)],
    warnings: [],
  }
}

function judgeUp({ policy }: ResolvedPolicy, facts: RunFacts): PolicyVerdict {
  const hazards = facts.steps.flatMap((step) => severeHazards(step.migration, facts))
  const problems = [
    ...(policy.requireProof ? facts.steps.flatMap(({ migration }) => judgeProof(migration, facts)) : []),
    ...(policy.hazards === 'refuse'
      ? [...judgeUnknown(facts), ...judgeTaken(facts), ...hazards.map(hazardProblem)]
      : []),
    ...(policy.requireSnapshot ? facts.steps.flatMap(({ migration }) => judgeSnapshot(migration, facts)) : []),
  ]
  const violations = (facts.violations ?? []).filter(({ step }) => !allows(step.migration, 'existing-data-violates'))
  // What an earlier statement may correct is for the run to find out.
  const refused = policy.hazards === 'refuse' ? violations.filter(({ isCertain }) => isCertain) : []
  return {
    problems: [...problems, ...refused.map(violationProblem)],
    warnings: [
      ...(policy.hazards === 'warn' ? hazards.map(hazardText) : []),
      ...violations.filter((each) => !refused.includes(each)).map(placedViolation),
    ],
  }
}

function allows({ directives }: Migration, id: string): boolean {
  return directives.allow.some(({ hazard }) => hazard === id)
}

function placedViolation(violation: Violation): string {
  const { step, line } = violation
  return `${step.migration.file}, line ${line}: existing-data-violates: ${violationText(violation)}`
}

function violationProblem(violation: Violation): PolicyProblem {
  return {
    code: 'HAZARD_REFUSED',
    migration: violation.step.id,
    message: `${placedViolation(violation)}.`,
    remedy: 'Correct the rows first, in a migration before it: this one would fail.',
  }
}

function judgeConfirmation(required: boolean, { confirm, database }: RunFacts): readonly PolicyProblem[] {
  if (!required || confirm === database) return []
  const given =
    confirm === null ? 'the database was not named' : `"${confirm}" was named, but the database is "${database}"`
  return [
    {
      code: 'CONFIRMATION_REQUIRED',
      migration: null,
      message: `A revert must be confirmed with the name of the database: ${given}.`,
      remedy: `Give "confirm": "${database}" with the event, or --confirm ${database}.`,
    },
  ]
}

function judgeProof(migration: Migration, { analysis }: RunFacts): readonly PolicyProblem[] {
  const { id } = migration
  const proof = analysis.get(id)?.proof ?? null
  if (proof !== null && proof.verdict !== 'broken') return []
  return [
    {
      code: 'HAZARD_REFUSED',
      migration: id,
      message:
        proof === null ? `${id} is not proven: nobody has tried it as it is.` : `${id} is broken: ${proof.detail}`,
      remedy: 'Run "lockstep prove --write" before the deployment, and deploy what it wrote beside the migrations.',
    },
  ]
}
