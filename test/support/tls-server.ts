import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import selfsigned from 'selfsigned'
import { onTestFinished } from 'vitest'
import { startEmbeddedPostgres } from '../../cli/embedded-postgres.ts'
import { SERVER_USER_ID } from '../../cli/embedded-process.ts'

/** A server with TLS, whose certificate is for `localhost`; stopped when the test has finished. */
export async function startTlsServer(): Promise<{ readonly url: string; readonly authority: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-tls-'))
  const { private: key, cert } = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  const [keyFile, certificateFile] = [join(directory, 'server.key'), join(directory, 'server.crt')]
  await writeFile(keyFile, key, { mode: 0o600 })
  await writeFile(certificateFile, cert)
  if (process.getuid?.() === 0) await chown(keyFile, SERVER_USER_ID, SERVER_USER_ID)
  const server = await startEmbeddedPostgres({
    directory: join(directory, 'server'),
    unsafe: true,
    settings: { ssl: 'on', ssl_key_file: keyFile, ssl_cert_file: certificateFile },
  })
  onTestFinished(async () => {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  })
  return { url: server.url, authority: cert }
}
