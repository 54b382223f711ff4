import type { Log } from '../telemetry/log.ts'

/** The releases of 21 October 2026 fix, among others, host-name checks in TLS (CVE-2026-105483) and the Brotli decoder (CVE-2026-111497). */
const patched: Readonly<Record<number, readonly [number, number]>> = { 24: [22, 1], 26: [12, 1] }

/** @returns whether this Node.js has security faults that were known when this version was made */
export function hasKnownFaults(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.replace(/^v/, '').split('.').map(Number)
  const least = patched[major]
  if (least === undefined) return major < 27
  return minor < least[0] || (minor === least[0] && patch < least[1])
}

export function warnOfRuntime(log: Pick<Log, 'warn'>, version: string = process.version): void {
  if (!hasKnownFaults(version)) return
  log.warn({ node: version }, 'this Node.js has known security faults: use the latest 26 or 24')
}
