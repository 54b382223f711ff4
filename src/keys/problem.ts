/** One thing that is wrong with what an operator asked for. */
export interface Fault {
  /** The member, such as `owner` or `[3].scopes[0]`; empty when it is the whole. */
  readonly path: string
  readonly message: string
}

export type KeyProblemKind = 'invalid' | 'not_found' | 'conflict'

/** An operator asked for something that cannot be done. Nothing was changed. Its message is for people and holds no credential. */
export class KeyProblem extends Error {
  readonly kind: KeyProblemKind
  readonly faults: readonly Fault[]

  constructor(kind: KeyProblemKind, faults: readonly Fault[]) {
    super(faults.map(describeFault).join('\n'))
    this.name = 'KeyProblem'
    this.kind = kind
    this.faults = faults
  }
}

function describeFault({ path, message }: Fault): string {
  return path === '' ? message : `${path}: ${message}`
}

export function invalid(path: string, message: string): KeyProblem {
  return new KeyProblem('invalid', [{ path, message }])
}

export function notFound(id: string): KeyProblem {
  return new KeyProblem('not_found', [{ path: '', message: `there is no key ${JSON.stringify(id)}` }])
}

export function noRevocation(): KeyProblem {
  const message = 'there is no revocation of it that refuses what is issued from now on'
  return new KeyProblem('not_found', [{ path: '', message }])
}

export function conflict(message: string): KeyProblem {
  return new KeyProblem('conflict', [{ path: '', message }])
}
