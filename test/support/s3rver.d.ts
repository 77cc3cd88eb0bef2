/** The part of s3rver that tests use; the package brings no types. */
declare module 's3rver' {
  import type { Server } from 'node:http'
  import type { AddressInfo } from 'node:net'

  interface S3rverOptions {
    readonly address: string
    readonly port: number
    readonly silent: boolean
    readonly directory: string
    readonly vhostBuckets: boolean
  }

  class S3rver {
    constructor(options: S3rverOptions)
    readonly httpServer: Server
    readonly store: { deleteObject(bucket: string, key: string): Promise<void> }
    run(): Promise<AddressInfo>
    close(): Promise<void>
  }

  export = S3rver
}
