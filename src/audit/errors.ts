/** The log cannot take the event: it is closed, or its disk is full or failing. The caller refuses the request (503 `dependency_unavailable`). */
export class AuditUnavailableError extends Error {
  /** The system's code, such as `ENOSPC`, where there is one. */
  readonly code: string | undefined

  constructor(message: string, code?: string) {
    super(message)
    this.name = 'AuditUnavailableError'
    this.code = code
  }
}

/** @returns what a failure of the file system says, for a person */
export function describeFailure(error: unknown): { readonly message: string; readonly code?: string } {
  const { code, message } = error as NodeJS.ErrnoException
  const known: Record<string, string> = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EFBIG: 'the file may not grow any larger',
    EIO: 'the disk failed',
    EROFS: 'the file system is read-only',
  }
  if (code === undefined) return { message }
  return { message: known[code] === undefined ? message : `${known[code]} (${code})`, code }
}
