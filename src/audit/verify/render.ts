/** A report for a person. */
import type { VerifyReport } from './report.ts'

/** @returns lines; the last one is the verdict */
export function renderReport(report: VerifyReport): string[] {
  const { first, last, signed, unsigned, retained, head, notices } = report
  const rows: (readonly [string, string] | undefined)[] = [
    [
      'records',
      first === undefined
        ? 'none'
        : `${report.records} (${first.seq} to ${last?.seq}), ${counted(report.segments, 'segment')}`,
    ],
    [
      'signed',
      signed === undefined
        ? 'nothing'
        : `up to record ${signed.seq}, at ${signed.time} (${counted(report.checkpoints, 'checkpoint')})`,
    ],
    unsigned === undefined ? undefined : ['unsigned', `records ${unsigned.from} to ${unsigned.to}`],
    retained === undefined || !report.ok
      ? undefined
      : ['retained', `records up to ${retained} were let go, and it is signed`],
    head === 'holds' ? ['head', report.ok ? 'the kept checkpoint holds' : 'given'] : undefined,
    ...notices.map((notice) => ['notice', notice] as const),
  ]
  const lines = rows.filter((row) => row !== undefined).map(([name, text]) => `${name.padEnd(10)}${text}`)
  return [...lines, verdict(report)]
}

function verdict(report: VerifyReport): string {
  if (report.ok) return 'ok: nothing was changed, dropped, swapped or inserted'
  const place = report.segment === undefined ? '' : ` (${report.segment}, line ${report.line})`
  return `FAILED: ${report.problem}: ${report.message}${place}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
