import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hazardDocument } from './hazard-document.ts'

/** `npm run docs`: what is generated under docs/, anew. */

const directory = join(import.meta.dirname, '..', 'docs')
mkdirSync(directory, { recursive: true })
writeFileSync(join(directory, 'hazards.md'), hazardDocument())
