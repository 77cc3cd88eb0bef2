import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Template } from './template.ts'

/** One stack of a synthesized cloud assembly (`cdk.out`). */
export interface Assembly {
  readonly stackName: string
  readonly template: Template
  /** Directories of the file assets, by the key under which they would be uploaded. */
  readonly assets: ReadonlyMap<string, string>
}

interface Manifest {
  readonly artifacts: Readonly<Record<string, Artifact>>
}

interface Artifact {
  readonly type: string
  readonly properties?: { readonly file?: string; readonly templateFile?: string; readonly stackName?: string }
}

interface AssetManifest {
  readonly files: Readonly<Record<string, FileAsset>>
}

interface FileAsset {
  readonly source: { readonly path: string }
  readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>
}

/** Reads a stack of the assembly in `directory`: the one named, or the only one. */
export async function readAssembly(directory: string, stackName?: string): Promise<Assembly> {
  const { artifacts } = await readJson<Manifest>(join(directory, 'manifest.json'))
  const stacks = Object.entries(artifacts)
    .filter(([, artifact]) => artifact.type === 'aws:cloudformation:stack')
    .map(([id, { properties }]) => ({ name: properties?.stackName ?? id, file: properties?.templateFile ?? '' }))
  const chosen = stacks.filter(({ name }) => stackName === undefined || name === stackName)
  const [stack] = chosen
  if (stack === undefined || chosen.length > 1) {
    throw new Error(`Name one of the stacks ${stacks.map(({ name }) => name).join(', ')}; got ${stackName ?? 'none'}`)
  }
  const manifests = Object.values(artifacts).filter(({ type }) => type === 'cdk:asset-manifest')
  const assets = await Promise.all(manifests.map(({ properties }) => readAssets(directory, properties?.file ?? '')))
  const template = await readJson<Template>(join(directory, stack.file))
  return { stackName: stack.name, template, assets: new Map(assets.flat()) }
}

async function readAssets(directory: string, file: string): Promise<readonly (readonly [string, string])[]> {
  const { files } = await readJson<AssetManifest>(join(directory, file))
  return Object.values(files).flatMap(({ source, destinations }) =>
    Object.values(destinations).map(({ objectKey }) => [objectKey, join(directory, source.path)] as const),
  )
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T
}
