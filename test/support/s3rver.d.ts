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

  interface S3rverObject {
    readonly bucket: string
    readonly key: string
  }

  interface S3rverStore {
    putObject(object: S3rverObject): Promise<{ readonly size: number; readonly md5: string }>
    deleteObject(bucket: string, key: string): Promise<void>
    listObjects(bucket: string, options: unknown): Promise<unknown>
    getObject(bucket: string, key: string, options: unknown): Promise<unknown>
    getResourcePath(bucket: string, key: string, resource: string): string
  }

  class S3rver {
    constructor(options: S3rverOptions)
    readonly httpServer: Server
    readonly store: S3rverStore
    run(): Promise<AddressInfo>
    close(): Promise<void>
  }

  export = S3rver
}
