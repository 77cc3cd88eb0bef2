import { ENVIRONMENT } from '../../lambda/contract.ts'
import { loseDatabase } from './happenings.ts'
import type { Theme } from './scenario.ts'
import { deploy, deployApplication } from './steps.ts'

const [GREETED, ORDERED] = ['20260102000000_greet_customers', '20260103000000_create_orders'] as const
const IMPATIENT = { environment: { [ENVIRONMENT.connectTimeout]: '1' } }

/** Stacks that insist on a migration of a database that another stack migrates. */
export const REQUIREMENT: Theme = {
  name: 'requirement',
  scenarios: [
    {
      title: 'the database has the migration',
      old: 'customers',
      new: 'orders',
      steps: [deploy('orders'), deployApplication(ORDERED)],
      expected: { stackStatus: 'CREATE_COMPLETE', state: 'new', data: { Current: ORDERED } },
    },
    {
      title: 'it has not: the application rolls back',
      old: 'customers',
      new: 'orders',
      steps: [deploy('customers'), deployApplication(GREETED), deployApplication(ORDERED)],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update FAILED', 'Update SUCCESS'],
        reason: [/REQUIREMENT_NOT_MET/, /20260103000000_create_orders/],
      },
    },
    {
      title: 'the database cannot be reached: the application rolls back',
      old: 'customers',
      new: 'orders',
      world: IMPATIENT,
      steps: [deploy('customers'), deployApplication(GREETED), loseDatabase, deployApplication(ORDERED)],
      expected: {
        stackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        state: 'old',
        calls: ['Update FAILED', 'Update SUCCESS'],
        reason: [/DATABASE_UNREACHABLE/],
      },
    },
  ],
}
