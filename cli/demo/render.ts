import { relative } from 'node:path'
import { renderError } from '../render/error.ts'
import { renderTimings } from '../render/run.ts'
import { renderStatus } from '../render/status.ts'
import type { Style } from '../render/style.ts'
import { indent, renderTable } from '../render/table.ts'
import { count, formatBytes, formatDuration } from '../render/units.ts'
import type { Deployment, Scene } from './scenario.ts'

/** What a person reads of a scene. */
export function renderScene(scene: Scene, style: Style): string {
  switch (scene.kind) {
    case 'server': {
      const took = formatDuration(scene.durationMs)
      return `${style.heading('Lockstep')}: three deployments to an embedded PostgreSQL ${scene.version} (up in ${took})`
    }
    case 'title':
      return style.heading(scene.title)
    case 'status':
      return indent(renderStatus(scene.status, scene.history, style))
    case 'deployment':
      return indent(renderDeployment(scene.deployment, style).join('\n\n'))
    default:
      return scene satisfies never
  }
}

function renderDeployment(deployment: Deployment, style: Style): readonly string[] {
  const { run } = deployment
  if (run.status === 'failed') return renderFailure(deployment, style)
  if (run.applied.length === 0) {
    return [style.good('Nothing to do: no snapshot, no write.')]
  }
  const applied = `Applied ${count(run.applied.length, 'migration')} in ${formatDuration(run.durationMs)}, snapshot included.`
  return [...renderSnapshot(deployment), renderTimings(run.migrations, style), style.good(applied)]
}

function renderSnapshot({ snapshot }: Deployment): readonly string[] {
  if (snapshot === null) return []
  const { tables, rows, bytes } = snapshot
  const what = `${count(tables, 'table')}, ${count(rows, 'row')}, ${formatBytes(bytes)}`
  return [`Snapshot first: ${what}, in\n${snapshot.uri}`]
}

function renderFailure(deployment: Deployment, style: Style): readonly string[] {
  const { migrations, run, schema } = deployment
  return [
    ...renderSnapshot(deployment),
    ...(run.error === undefined
      ? []
      : [renderError(run.error, style, { width: 98, directory: relative('.', migrations) })]),
    run.rolledBack === true ? style.good('Rolled back.') : style.bad('Not rolled back.'),
    ...(schema === null ? [] : [renderComparison(schema, style)]),
  ]
}

function renderComparison({ before, after }: NonNullable<Deployment['schema']>, style: Style): string {
  const table = renderTable(
    [{ title: 'SCHEMA (pg_dump)' }, { title: 'BYTES', align: 'right' }, { title: 'SHA-256' }],
    [
      ['before', before.bytes.toLocaleString('en-US'), before.sha256],
      ['after', after.bytes.toLocaleString('en-US'), after.sha256],
    ],
    style,
  )
  const verdict =
    before.sql === after.sql
      ? style.good('The schema is byte-identical to the one before.')
      : style.bad('The schema is not the one before.')
  return `${table}\n\n${verdict}`
}
