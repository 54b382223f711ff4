import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type AuditEvent = Readonly<Record<string, unknown>>

/** What stands in a gateway's log so far; events are written within a tenth of a second. */
export function auditEvents(folder: string): readonly AuditEvent[] {
  const directory = join(folder, 'audit')
  return readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .toSorted()
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent)
}
