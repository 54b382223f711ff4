import type { AuditEntry } from './audit-log.ts'

/**
 * Audit events of processes that may not write the log themselves: the running gateway owns it, so a command that changes
 * the store leaves its events here, and the gateway brings them over.
 */
export interface Outbox {
  /** Durable when it resolves; all of them or none. */
  put(entries: readonly AuditEntry[]): Promise<void>
  /**
   * Hands waiting entries over, oldest first, and forgets each batch only after all of it was delivered. A crash in between
   * delivers again: an event told twice does less harm than one lost. Two processes never hold the same entry at once.
   *
   * @returns how many were delivered
   */
  drain(limit: number, deliver: (entry: AuditEntry) => undefined | Promise<void>): Promise<number>
}
