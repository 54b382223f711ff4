/** Complaints become faults: they get their place in the file, and what stands there. */
import { describe, describeSecret } from './describe.ts'
import { toFault, type Complaint, type Fault, type Location } from './fault.ts'
import { unknownKey } from './issues.ts'
import { valueAt, type Path } from './path.ts'
import { isSecretAt, membersAt } from './schema-json.ts'
import type { Document } from './source/document.ts'

export interface Reporter {
  report(complaint: Complaint): Fault
  locate(path: Path): Location
}

/** @param revealed what references stand for: it may be secret, and is in no fault */
export function createReporter(document: Document, file: string, revealed: ReadonlySet<string>): Reporter {
  const placeOf = (path: Path, what: 'key' | 'value'): Location => {
    // What is missing has no place of its own: the key around it does.
    for (let length = path.length; length > 0; length--) {
      const position = document.position(path.slice(0, length), length === path.length ? what : 'key')
      if (position !== undefined) return { file, ...position }
    }
    return { file, ...document.position([], 'value') }
  }
  const redact = redactorOf(revealed)
  return {
    report(complaint) {
      const { suggestion, ...rest } = complaint
      const written = valueAt(document.value, complaint.path)
      const isReference = typeof written === 'string' && written.includes('${')
      const isSecret = isSecretPlace(complaint.path, written, document.value)
      const isHidden = isReference || isSecret
      const found = complaint.found ?? foundAt(complaint, written, isSecret)
      const place = complaint.lookedAt === undefined || isReference ? '' : ` at ${complaint.lookedAt}`
      const expected = complaint.expected === undefined ? undefined : `${redact(complaint.expected)}${place}`
      const fault: Complaint = {
        ...rest,
        message: isReference && complaint.quotes === true ? 'not accepted' : redact(complaint.message),
        ...(found === undefined ? {} : { found }),
        ...(expected === undefined ? {} : { expected }),
        // A suggestion repeats much of what was found.
        ...(suggestion === undefined || (isHidden && complaint.isOpen !== true)
          ? {}
          : { suggestion: redact(suggestion) }),
      }
      return toFault(fault, placeOf(complaint.path, complaint.atKey === true ? 'key' : 'value'))
    },
    locate: (path) => placeOf(path, 'key'),
  }
}

/** `admin: hunter2` stands where a mapping with a secret belongs: the text is probably that secret. */
function isSecretPlace(path: Path, written: unknown, tree: unknown): boolean {
  if (isSecretAt(path, tree)) return true
  return (
    typeof written !== 'object' &&
    [...membersAt(path, tree).values()].some((member) => member.writeOnly === true)
  )
}

function foundAt(complaint: Complaint, written: unknown, isSecret: boolean): string | undefined {
  if (complaint.message === unknownKey || complaint.atKey === true) return undefined
  if (written === undefined || written === null) return undefined
  // As it stands in the file: references show as references, never as what they stand for.
  return isSecret ? describeSecret(written) : describe(written)
}

/** Shorter texts are no secrets, and would tear holes into ordinary words. */
const shortestSecret = 4

function redactorOf(revealed: ReadonlySet<string>): (text: string) => string {
  const secrets = [...revealed]
    .filter((each) => each.length >= shortestSecret)
    .toSorted((one, other) => other.length - one.length)
  return (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text)
}
