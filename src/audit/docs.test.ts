/** docs/audit.md shows a log and how to check it with other tools: both must be true. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditAlarms } from './alarm.ts'
import { ownReasons } from './format/own-events.ts'
import { auditProblems } from './verify/report.ts'
import { verifyLog } from './verify/verify.ts'

const doc = readFileSync(join(import.meta.dirname, '../../docs/audit.md'), 'utf8')
const blocks = (language: string): string[] =>
  [...doc.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?\\n)\`\`\`$`, 'gm'))].map(
    ([, text]) => text as string,
  )

const [segment, checkpoints] = blocks('json')
const [, chainScript, signatureScript] = blocks('sh')
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-audit-'))
  writeFileSync(join(directory, 'audit-0000000000000001.jsonl'), segment as string)
  writeFileSync(join(directory, 'checkpoints.log'), checkpoints as string)
  writeFileSync(join(directory, 'audit.pub'), blocks('pem')[0] as string)
})
afterAll(() => rmSync(directory, { recursive: true }))

describe('the example in docs/audit.md', () => {
  it('verifies', async () => {
    const publicKeyPem = readFileSync(join(directory, 'audit.pub'), 'utf8')
    expect(await verifyLog(directory, { publicKeyPem })).toMatchObject({
      ok: true,
      records: 2,
      signed: { seq: 2 },
    })
  })

  it('can be checked with the tools that it names', () => {
    const run = (script: string | undefined): string =>
      execFileSync('sh', ['-ec', script ?? 'exit 1'], { cwd: directory, encoding: 'utf8' })
    expect(run(chainScript)).toMatch(/^chain holds up to [0-9a-f]{64}$/m)
    expect(run(signatureScript)).toContain('Signature Verified Successfully')
    writeFileSync(
      join(directory, 'audit-0000000000000001.jsonl'),
      (segment as string).replace('refuse', 'allow'),
    )
    expect(() => run(chainScript)).toThrow(/Command failed/)
  })
})

it('docs/audit.md names every alarm, problem and event of the log about itself', () => {
  for (const [kind, meaning] of Object.entries(auditAlarms))
    expect(doc).toContain(`| \`${kind}\` | ${meaning} |`)
  for (const word of [...Object.keys(auditProblems), ...Object.values(ownReasons)])
    expect(doc).toContain(`| \`${word}\` |`)
})
