import type { OnAlarm } from '../alarm.ts'

/** Copies lines to a stream. A reader that went away costs the copy, never the log: one alarm, and no more copies. */
export function stdoutSink(stream: NodeJS.WritableStream, onAlarm: OnAlarm): (text: string) => void {
  let isBroken = false
  stream.on('error', (error) => {
    if (!isBroken) onAlarm('sink_failed', `stdout: ${error.message}`)
    isBroken = true
  })
  return (text) => {
    if (!isBroken) stream.write(text)
  }
}
