/** Thousands of connections that do nothing: they cost little memory, hold nobody up, and are closed when their time is over. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { startGatewayProcess, type GatewayProcess } from '../harness/process.ts'
import { startRecordingUpstream } from '../harness/recording-upstream.ts'
import { planes, type Plane } from '../support/corpus-gateway.ts'

/** What the system lets one process have open, less what this one and the gateway need beside. */
const most = Math.min(10_000, openFileLimit() - 500)
/** Bytes of memory for each, at most: a guard against something that grows, not a measurement. */
const memory: Readonly<Record<Plane, number>> = { wire: 12 * 1024, node: 40 * 1024 }

function openFileLimit(): number {
  const limit = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim()
  return limit === 'unlimited' ? 1_000_000 : Number(limit)
}

function configuration(plane: Plane, upstream: number, idle: string): string {
  return `
version: 1
dataPlane: ${plane}
audit: off
limits: { idleTimeout: ${idle} }
upstreams:
  recorder: { targets: ["http://127.0.0.1:${upstream}"] }
routes:
  - { id: all, match: { path: "/*" }, authenticate: none, upstream: recorder }
`
}

function residentBytes(gateway: GatewayProcess): number {
  const status = readFileSync(`/proc/${gateway.child.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

/** A connection that has been served once, and is silent since. */
async function openIdle(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () => reject(new Error('closed at once')))
    socket.on('data', function answered(text: Buffer) {
      if (!text.includes('\r\n\r\n')) return
      socket.off('data', answered)
      socket.removeAllListeners('close')
      resolve()
    })
    socket.write('GET /.portcullis/livez HTTP/1.1\r\nHost: x\r\n\r\n')
  })
  socket.resume()
  return socket
}

async function openMany(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  const work = async (): Promise<void> => {
    while (sockets.length < count) {
      const socket = await openIdle(port)
      if (sockets.length < count) sockets.push(socket)
      else socket.destroy()
    }
  }
  await Promise.all(Array.from({ length: 64 }, work))
  return sockets
}

/** @returns milliseconds of the middle one of some requests */
async function typicalTime(url: string): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < 41; count += 1) {
    const began = performance.now()
    const answer = await fetch(`${url}/hello`)
    await answer.text()
    expect(answer.status).toBe(200)
    times.push(performance.now() - began)
  }
  return times.sort((one, other) => one - other)[20]!
}

describe.each(planes)('dataPlane: %s', (plane) => {
  it(`${most} idle connections are cheap, in nobody's way, and closed in time`, async () => {
    const upstream = await startRecordingUpstream()
    await using gateway = await startGatewayProcess(configuration(plane, upstream.port, '75s'))
    const port = Number(new URL(gateway.url).port)
    try {
      // The first ones also pay for code that is compiled and tables that grow.
      const warm = await openMany(port, 500)
      const before = residentBytes(gateway)
      const sockets = [...warm, ...(await openMany(port, most - warm.length))]
      expect(sockets.length).toBe(most)
      const each = (residentBytes(gateway) - before) / (most - warm.length)
      expect(each).toBeLessThan(memory[plane])
      expect(await typicalTime(gateway.url)).toBeLessThan(100)

      const open = new Set(sockets.filter(({ destroyed }) => !destroyed))
      expect(open.size).toBe(most)
      for (const socket of sockets) socket.once('close', () => open.delete(socket))
      const text = readFileSync(gateway.file, 'utf8')
      await writeFile(gateway.file, text.replace('idleTimeout: 75s', 'idleTimeout: 1s'))
      gateway.child.kill('SIGHUP')
      const deadline = performance.now() + 8000
      while (open.size > 0 && performance.now() < deadline) await delay(20)
      expect(open.size).toBe(0)
      expect(await typicalTime(gateway.url)).toBeLessThan(100)
    } finally {
      await upstream.close()
    }
  }, 90_000)
})
