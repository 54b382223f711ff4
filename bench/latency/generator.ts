/**
 * The load of the latency rows: `node generator.ts PLAN`, a JSON file (`GeneratorPlan`). Requests are due at fixed times,
 * whatever the gateway does meanwhile: latency counts from the time at which a request was due, so that a pause is seen by
 * all the requests that it held up and not only by one. Prints one line of JSON (`GeneratorResult`).
 */
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { percentile } from '../statistics.ts'
import { createResponseReader } from './response.ts'

/** What to send, how often and for how long. */
export interface GeneratorPlan {
  readonly url: string
  /** The header fields of one caller after the other. */
  readonly callers: readonly Readonly<Record<string, string>>[]
  /** Requests a second. */
  readonly rate: number
  readonly seconds: number
  /** Seconds before that, which do not count. */
  readonly lead: number
  readonly connections: number
}

/** Latencies in milliseconds. */
export interface GeneratorResult {
  readonly requests: number
  /** Refused, broken, or not answered within five seconds after the end. */
  readonly failed: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** The part of requests that the generator itself sent more than a quarter of a millisecond late, with connections free. */
  readonly lateShare: number
}

const plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as GeneratorPlan
const patience = 5_000
const late = 0.25

const url = new URL(plan.url)
const requests = plan.callers.map(requestOf)
const idle: Lane[] = await Promise.all(Array.from({ length: plan.connections }, open))
const result = await run()
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))

interface Lane {
  readonly socket: Socket
  /** When the request that is under way was due. */
  due: number
}

function requestOf(caller: Readonly<Record<string, string>>): Buffer {
  const fields = {
    Host: url.host,
    Accept: 'application/json',
    'User-Agent': 'bench/1.0',
    'Accept-Encoding': 'gzip',
    ...caller,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1')
}

function open(): Promise<Lane> {
  return new Promise((resolve, reject) => {
    const target = { host: url.hostname, port: Number(url.port), noDelay: true }
    const isTls = url.protocol === 'https:'
    const socket = isTls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target)
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      socket.off('error', reject)
      resolve({ socket, due: 0 })
    })
    socket.once('error', reject)
  })
}

async function run(): Promise<GeneratorResult> {
  const total = Math.round(plan.rate * (plan.seconds + plan.lead))
  const first = Math.round(plan.rate * plan.lead)
  const interval = 1000 / plan.rate
  const latencies = new Float64Array(total - first)
  const counts = { measured: 0, failed: 0, late: 0, answered: 0, sent: 0 }
  const start = performance.now() + 20
  let hasEnded = false

  for (const lane of idle) {
    const reader = createResponseReader()
    const fail = (): void => {
      if (hasEnded) return
      counts.failed += 1
      counts.answered += 1
    }
    lane.socket.on('error', () => lane.socket.destroy())
    lane.socket.on('close', fail)
    lane.socket.on('data', (piece: Buffer) => {
      const reading = reader.read(piece)
      if (reading === 'more') return
      const now = performance.now()
      if (reading === 'bad') fail()
      else {
        counts.answered += 1
        // From due times below, not to be counted: the lead.
        if (lane.due >= start + first * interval) latencies[counts.measured++] = now - lane.due
      }
      idle.push(lane)
      send(now)
    })
  }

  function send(now: number): void {
    while (counts.sent < total && idle.length > 0) {
      const due = start + counts.sent * interval
      if (due > now) return
      const lane = idle.pop()!
      lane.due = due
      lane.socket.write(requests[counts.sent % requests.length]!)
      counts.sent += 1
    }
  }

  return new Promise((resolve) => {
    const end = (): void => {
      hasEnded = true
      const sorted = latencies.slice(0, counts.measured).sort()
      resolve({
        requests: counts.measured,
        failed: counts.failed + total - counts.answered,
        p50: percentile(sorted, 50),
        p99: percentile(sorted, 99),
        p999: percentile(sorted, 99.9),
        lateShare: counts.late / total,
      })
    }
    // Turns of the event loop without a pause: a timer would be a millisecond too coarse.
    const turn = (): void => {
      const now = performance.now()
      if (counts.sent < total) {
        // With a connection free, a request that is still unsent is late by nobody's fault but ours.
        const overdue = now - (start + counts.sent * interval)
        if (idle.length > 0 && overdue > late) counts.late += Math.ceil(overdue / interval)
        send(now)
      } else if (counts.answered >= total) return end()
      if (now > start + (total / plan.rate) * 1000 + patience) return end()
      setImmediate(turn)
    }
    turn()
  })
}
