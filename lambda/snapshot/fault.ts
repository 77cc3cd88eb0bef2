/** A problem whose remedy is known where it is met. The caller at the boundary adds the code and the state. */
export class Fault extends Error {
  override readonly name = 'Fault'
  /** A sentence: what to do. */
  readonly remedy: string

  constructor(message: string, remedy: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.remedy = remedy
  }
}

/** The store was asked for an object that it does not hold. */
export class MissingObjectFault extends Fault {}
