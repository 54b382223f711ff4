/** A value written as one word of text: how it is read, how it is described, how a near miss is repaired. */
export interface Scalar<T> {
  /** What it is called in documentation: "duration". Without it, what `expected` begins with. */
  readonly title?: string
  /** What belongs here, as a phrase: "a duration, such as 30s". Also identifies the scalar in faults. */
  readonly expected: string
  /** For editors (JSON Schema). Never the whole truth: `read` is. */
  readonly pattern?: RegExp
  readonly read: (text: string) => T | Unreadable
  /** What the writer probably meant, from a value that was refused. */
  readonly repair?: (found: string | number | boolean) => string | undefined
}

/** Why a text was refused, where that can be said more exactly than by what is expected. */
export class Unreadable {
  readonly why: string | undefined

  constructor(why?: string) {
    this.why = why
  }
}

/** @returns the value, or undefined where the text is refused */
export function readOr<T>(scalar: Scalar<T>, text: string): T | undefined {
  const value = scalar.read(text)
  return value instanceof Unreadable ? undefined : value
}
