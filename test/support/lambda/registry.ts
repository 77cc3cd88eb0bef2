import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { functionArn, functionName, type FunctionDefinition } from './definition.ts'
import { createDeployedFunction, type DeployedFunction } from './deployed-function.ts'
import type { Endpoints } from './environment.ts'

export interface Registered {
  readonly definition: FunctionDefinition
  readonly deployed: DeployedFunction
}

/** The functions of a service by name, their copied code and their logs. */
export interface Registry {
  readonly deploy: (definition: FunctionDefinition, endpoints: Endpoints) => Promise<string>
  readonly remove: (nameOrArn: string) => Promise<void>
  readonly find: (nameOrArn: string) => Registered | undefined
  readonly logs: (nameOrArn?: string) => Promise<string>
  readonly destroy: () => Promise<void>
}

export async function createRegistry(): Promise<Registry> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-lambda-'))
  const current = new Map<string, Registered>()
  const everDeployed: DeployedFunction[] = []
  const names = new Set<string>()
  const logFile = (name: string): string => join(directory, `${name}.log`)
  return {
    deploy: async (definition, endpoints) => {
      const { name } = definition
      names.add(name)
      const taskRoot = join(directory, name, String(everDeployed.length))
      const deployed = createDeployedFunction({ definition, taskRoot, endpoints, logFile: logFile(name) })
      everDeployed.push(deployed)
      await mkdir(taskRoot, { recursive: true })
      await cp(definition.code, taskRoot, { recursive: true, dereference: true })
      const previous = current.get(name)
      current.set(name, { definition, deployed })
      await previous?.deployed.retire()
      return functionArn(name)
    },
    remove: async (nameOrArn) => {
      const entry = current.get(functionName(nameOrArn))
      current.delete(functionName(nameOrArn))
      await entry?.deployed.retire()
    },
    find: (nameOrArn) => current.get(functionName(nameOrArn)),
    logs: async (nameOrArn) => {
      const wanted = nameOrArn === undefined ? [...names] : [functionName(nameOrArn)]
      const files = wanted.map(logFile).filter((file) => existsSync(file))
      return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('')
    },
    destroy: async () => {
      await Promise.all(everDeployed.map((deployed) => deployed.destroy()))
      await rm(directory, { recursive: true, force: true })
    },
  }
}
