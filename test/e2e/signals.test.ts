import { describe, expect, it } from 'vitest'
import { Agent, request } from 'undici'
import { startGatewayProcess } from '../harness/process.ts'
import { startTestUpstream } from '../harness/upstream.ts'

const slowAfter = 30

function configuration(url: string): string {
  return `
version: 1
drainTimeout: 10s
upstreams: { items: { targets: ["${url}"] } }
routes:
  - { id: all, match: { path: /* }, authenticate: none, upstream: items }
`
}

describe('SIGTERM under load', () => {
  it('loses no request: each one that was sent is answered whole, and the process ends with 0', async () => {
    await using upstream = await startTestUpstream()
    upstream.answer = (_request, response) => setTimeout(() => response.end('x'.repeat(5000)), slowAfter)
    await using gateway = await startGatewayProcess(configuration(upstream.url))
    const agent = new Agent({ connections: 20, pipelining: 1 })
    const outcomes = new Map<string, number>()
    const load = { isOver: false }
    const worker = async (): Promise<void> => {
      while (!load.isOver) {
        const outcome = await request(gateway.url, { dispatcher: agent }).then(
          async ({ statusCode, body }) => `${statusCode} ${(await body.text()).length}`,
          (error: NodeJS.ErrnoException) => error.code ?? error.message,
        )
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
        // A listener that is gone refuses connections: that request was never taken.
        if (outcome === 'ECONNREFUSED') return
      }
    }
    const workers = Array.from({ length: 20 }, worker)
    await expect.poll(() => outcomes.get('200 5000') ?? 0, { timeout: 15_000 }).toBeGreaterThan(200)
    const code = await gateway.end('SIGTERM')
    load.isOver = true
    await Promise.all(workers)
    await agent.destroy()
    expect(code).toBe(0)
    expect(
      [...outcomes.keys()].filter((outcome) => outcome !== '200 5000' && outcome !== 'ECONNREFUSED'),
    ).toEqual([])
  })

  it('is told by readyz before the listeners close, with drainDelay', async () => {
    await using upstream = await startTestUpstream()
    await using gateway = await startGatewayProcess(`${configuration(upstream.url)}drainDelay: 1s\n`)
    expect((await fetch(`${gateway.url}/.portcullis/readyz`)).status).toBe(200)
    const ended = gateway.end('SIGTERM')
    await expect
      .poll(async () => (await fetch(`${gateway.url}/.portcullis/readyz`)).status, { timeout: 900 })
      .toBe(503)
    const answer = await fetch(gateway.url)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('connection')).toBe('close')
    expect(await ended).toBe(0)
  })
})

describe('SIGHUP', () => {
  it('reloads the configuration', async () => {
    await using upstream = await startTestUpstream()
    await using gateway = await startGatewayProcess(configuration(upstream.url))
    const { readFile, writeFile } = await import('node:fs/promises')
    const text = await readFile(gateway.file, 'utf8')
    await writeFile(gateway.file, text.replace('path: /*', 'path: /only/*'))
    gateway.child.kill('SIGHUP')
    await expect.poll(async () => (await fetch(`${gateway.url}/x`)).status, { timeout: 10_000 }).toBe(404)
  })
})
