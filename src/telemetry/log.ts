import { pino, type DestinationStream, type Logger } from 'pino'
import { redact, redactText } from './redact.ts'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'isLevelEnabled'>

/**
 * The gateway's own log: JSON lines on standard error (or a given destination), every line through `redact`.
 * `PORTCULLIS_LOG_LEVEL` sets the level; the default is `info`.
 */
export function createLog(
  options: { readonly level?: string; readonly destination?: DestinationStream } = {},
): Log {
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: (line) => redact(line) as Record<string, unknown>,
      },
      // Errors go through `redact` like everything else; pino's own serialiser would copy their members unseen.
      serializers: { err: (error: unknown) => redact(error) },
      hooks: {
        logMethod(values, method) {
          const cleaned = values.map((value: unknown) =>
            typeof value === 'string' ? redactText(value) : redact(value),
          )
          method.apply(this, cleaned as Parameters<typeof method>)
        },
      },
    },
    options.destination ?? process.stderr,
  )
}
