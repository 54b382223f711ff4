/** A process that writes events until it is killed, and notes each one's number in a file once the log has answered for it. */
import { openSync, writeSync } from 'node:fs'
import type { AuditSettings } from '../../configuration.ts'
import { openAuditLog } from '../open.ts'
import { admitted } from './log.ts'

const { directory, key, mode } = JSON.parse(process.argv[2] ?? '{}') as Pick<
  AuditSettings,
  'directory' | 'key' | 'mode'
>

const acknowledged = openSync(`${directory}.acknowledged`, 'w')
const log = await openAuditLog(
  { mode, directory, key, index: true, retain: { size: 1024 ** 3, age: 400 * 86_400_000 }, sinks: [] },
  {
    clock: { now: () => Date.now() },
    instance: 'writer',
    configurationHash: () => 'c'.repeat(64),
    onAlarm: (kind, detail) => process.stderr.write(`${kind}: ${detail}\n`),
    tuning: { segmentBytes: 256 * 1024 },
  },
)
writeSync(1, 'open\n')

let number = 0
await Promise.all(
  Array.from({ length: 32 }, async () => {
    for (;;) {
      const mine = number++
      await log.record(admitted(mine, { time: Date.now() }))
      // Synchronously and to a file, so that the kernel has it when the process is killed.
      writeSync(acknowledged, `${mine}\n`)
    }
  }),
)
