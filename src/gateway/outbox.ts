import type { AuditLog } from '../ports/audit-log.ts'
import type { Outbox } from '../ports/outbox.ts'

const batch = 500

/** Brings the audit events of commands that changed the store into the running gateway's log, each second. */
export function startOutboxDrain(
  outbox: Outbox,
  audit: Pick<AuditLog, 'record'>,
  onError: (error: unknown) => void,
): { close(): Promise<void> } {
  let running: Promise<void> | undefined
  const drain = async (): Promise<void> => {
    while ((await outbox.drain(batch, (entry) => audit.record(entry))) === batch);
  }
  const tick = (): Promise<void> => {
    running ??= drain()
      .catch(onError)
      .finally(() => {
        running = undefined
      })
    return running
  }
  const timer = setInterval(() => void tick(), 1000)
  timer.unref()
  void tick()
  return {
    close: async () => {
      clearInterval(timer)
      await running
      await tick()
    },
  }
}
