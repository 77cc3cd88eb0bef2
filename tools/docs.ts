import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorDocument } from './error-document.ts'
import { hazardDocument } from './hazard-document.ts'

/** `npm run docs`: what is generated under docs/, anew. */

const directory = join(import.meta.dirname, '..', 'docs')
mkdirSync(directory, { recursive: true })
writeFileSync(join(directory, 'hazards.md'), hazardDocument())
writeFileSync(join(directory, 'errors.md'), errorDocument())
