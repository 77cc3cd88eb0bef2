/** One value that CloudWatch makes of a line of a log. */
export interface EmbeddedMetric {
  readonly namespace: string
  readonly name: string
  readonly unit: string | undefined
  readonly dimensions: Readonly<Record<string, string>>
  readonly value: number
}

type Json = Readonly<Record<string, unknown>>

interface Directive {
  readonly Namespace?: unknown
  readonly Dimensions?: unknown
  readonly Metrics?: unknown
}

/**
 * The metrics in a log, as CloudWatch reads its Embedded Metric Format: CloudWatch_Embedded_Metric_Format_Specification.html.
 *
 * @throws Error for a line that claims to hold metrics, and of which CloudWatch would make none
 */
export function embeddedMetrics(log: string): readonly EmbeddedMetric[] {
  return log.split('\n').flatMap((line) => {
    const root = parse(line)
    if (root === null || !('_aws' in root)) return []
    return metricsOf(root, line)
  })
}

function metricsOf(root: Json, line: string): readonly EmbeddedMetric[] {
  const demand: Demand = (holds, what) => {
    if (!holds) throw new Error(`CloudWatch makes no metric of a line ${what}: ${line}`)
  }
  const { Timestamp: timestamp, CloudWatchMetrics: directives } = root['_aws'] as Json
  demand(Number.isInteger(timestamp) && Number(timestamp) > 1e12, 'whose Timestamp is not in milliseconds')
  demand(Array.isArray(directives), 'without CloudWatchMetrics')
  return (directives as readonly Directive[]).flatMap((directive) => metricsOfDirective(root, directive, demand))
}

type Demand = (holds: boolean, what: string) => void

function metricsOfDirective(root: Json, directive: Directive, demand: Demand): readonly EmbeddedMetric[] {
  const { Namespace: namespace, Dimensions: sets, Metrics: metrics } = directive
  demand(typeof namespace === 'string' && /^[\w.\-/#: ]{1,256}$/.test(namespace), 'without a Namespace')
  demand(Array.isArray(sets) && sets.every(Array.isArray), 'whose Dimensions are no list of lists')
  demand(Array.isArray(metrics) && metrics.length > 0, 'without Metrics')
  return (sets as readonly (readonly string[])[]).flatMap((names) =>
    (metrics as readonly { readonly Name: string; readonly Unit?: string }[]).map(({ Name: name, Unit: unit }) => {
      const dimensions = Object.fromEntries(names.map((dimension) => [dimension, root[dimension]]))
      const texts = Object.values(dimensions)
      demand(
        texts.every((text) => typeof text === 'string' && text !== ''),
        'that lacks the value of a dimension',
      )
      demand(typeof root[name] === 'number', `whose ${name} is no number`)
      return {
        namespace: namespace as string,
        name,
        unit,
        dimensions: dimensions as Readonly<Record<string, string>>,
        value: root[name] as number,
      }
    }),
  )
}

function parse(line: string): Json | null {
  if (!line.startsWith('{')) return null
  try {
    return JSON.parse(line) as Json
  } catch {
    return null
  }
}
