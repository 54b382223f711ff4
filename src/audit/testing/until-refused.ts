/** A process that writes events until one is refused, goes on until one is taken again, and closes. Prints what happened as JSON lines. */
import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { AuditSettings } from '../../configuration.ts'
import { openAuditLog } from '../open.ts'
import { admitted } from './log.ts'

const { directory, key, mode } = JSON.parse(process.argv[2] ?? '{}') as Pick<
  AuditSettings,
  'directory' | 'key' | 'mode'
>

const print = (fact: object): void => void writeSync(1, `${JSON.stringify(fact)}\n`)

const log = await openAuditLog(
  { mode, directory, key, index: false, retain: { size: 1024 ** 3, age: 400 * 86_400_000 }, sinks: [] },
  {
    clock: { now: () => Date.now() },
    instance: 'writer',
    configurationHash: () => 'c'.repeat(64),
    onAlarm: (kind, detail) => print({ alarm: kind, detail }),
  },
)

let wasRefused = false
for (let number = 0; ; number++) {
  try {
    await log.record(admitted(number, { time: Date.now() }))
    print({ taken: number })
    if (wasRefused) break
    if (number % 50 === 0) await delay(1)
  } catch (error) {
    print({ refused: number, code: (error as NodeJS.ErrnoException).code })
    wasRefused = true
    await delay(20)
  }
}
await log.close()
print({ closed: true })
