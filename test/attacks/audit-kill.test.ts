import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Agent, request } from 'undici'
import { runCommand, startGatewayProcess } from '../harness/process.ts'
import { startTestUpstream } from '../harness/upstream.ts'

describe('a crash in strict mode', () => {
  it('forgets no request that a client saw admitted', async () => {
    await using upstream = await startTestUpstream()
    await using gateway = await startGatewayProcess(`
version: 1
audit: { mode: strict }
upstreams: { items: { targets: ["${upstream.url}"] } }
routes:
  - { id: all, match: { path: /* }, authenticate: none, upstream: items }
`)
    const agent = new Agent({ connections: 16, pipelining: 1 })
    const admitted: string[] = []
    const worker = async (): Promise<void> => {
      for (;;) {
        try {
          const { statusCode, headers, body } = await request(gateway.url, { dispatcher: agent })
          if (statusCode === 200) admitted.push(String(headers['x-request-id']))
          await body.dump()
        } catch {
          return
        }
      }
    }
    const workers = Array.from({ length: 16 }, worker)
    await expect.poll(() => admitted.length, { timeout: 15_000 }).toBeGreaterThan(500)
    expect(await gateway.end('SIGKILL')).toBe('SIGKILL')
    await Promise.all(workers)
    await agent.destroy()
    const folder = join(gateway.folder, 'audit')
    const segments = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
    const log = segments.map((name) => readFileSync(join(folder, name), 'utf8')).join('')
    expect(admitted.filter((id) => !log.includes(`"${id}"`))).toEqual([])
    const verified = await runCommand(['audit', 'verify', '--config', gateway.file], { cwd: gateway.folder })
    expect(verified.code).toBe(0)
  })
})
