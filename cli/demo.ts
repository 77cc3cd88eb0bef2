import { reportOf } from '../lambda/errors.ts'
import { documentOf, wentWell } from './demo/document.ts'
import { renderScene } from './demo/render.ts'
import { demonstrate } from './demo/scenario.ts'
import { EXIT } from './exit.ts'
import { processOutput } from './output.ts'
import { redactorFor } from './redact.ts'
import { renderError } from './render/error.ts'
import { styleFor } from './render/style.ts'
import { formatDuration } from './render/units.ts'

/** The main job, to watch: `npm start`, or `npm start -- --json` for the same facts as one document. */
async function main(json: boolean): Promise<number> {
  const output = processOutput(redactorFor([]))
  const style = styleFor(process.stdout)
  const began = performance.now()
  try {
    const demonstration = await demonstrate((scene) => {
      if (!json) void output.text(`${renderScene(scene, style)}\n\n`)
    })
    const well = wentWell(demonstration)
    const took = formatDuration(performance.now() - began)
    if (json) await output.document(documentOf(demonstration))
    else
      await output.text(
        well ? style.good(`All as it should be, in ${took}.`) : style.bad('This did not go as it should.'),
      )
    return well ? EXIT.done : EXIT.failed
  } catch (error) {
    const report = reportOf(error)
    if (json) await output.document({ error: report })
    else await output.aside(renderError(report, styleFor(process.stderr)))
    return EXIT.failed
  }
}

// Leaves through "exit", where the embedded server is stopped.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

const unknown = process.argv.slice(2).filter((argument) => argument !== '--json')
if (unknown.length > 0) {
  process.stderr.write(`error: unknown argument '${unknown[0]}'. The only one is --json.\n`)
  process.exit(EXIT.usage)
}
process.exit(await main(process.argv.includes('--json')))
