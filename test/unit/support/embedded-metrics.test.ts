import { expect, test } from 'vitest'
import { embeddedMetrics } from '../../support/embedded-metrics.ts'

const DIRECTIVE = { Namespace: 'Shop', Dimensions: [['Set']], Metrics: [{ Name: 'Orders', Unit: 'Count' }] }

function line(root: object = {}, directive: object = {}, aws: object = {}): string {
  const CloudWatchMetrics = [{ ...DIRECTIVE, ...directive }]
  return JSON.stringify({ _aws: { Timestamp: 1.7e12, CloudWatchMetrics, ...aws }, Set: 'default', Orders: 3, ...root })
}

test('metrics are found among the other lines of a log', () => {
  const log = ['START RequestId: 1', '{"level":"INFO"}', '{ no JSON', line(), 'END'].join('\n')
  expect(embeddedMetrics(log)).toEqual([
    { namespace: 'Shop', name: 'Orders', unit: 'Count', dimensions: { Set: 'default' }, value: 3 },
  ])
})

test.each([
  [line({ Orders: '3' }), 'whose Orders is no number'],
  [line({ Set: undefined }), 'lacks the value of a dimension'],
  [line({}, { Dimensions: ['Set'] }), 'no list of lists'],
  [line({}, { Namespace: '' }), 'without a Namespace'],
  [line({}, {}, { Timestamp: 1.7e9 }), 'milliseconds'],
])('%s is not one', (log, reason) => {
  expect(() => embeddedMetrics(log)).toThrow(reason)
})
