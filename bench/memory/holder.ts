/**
 * Holds connections open: `node holder.ts PLAN`, a JSON file (`HolderPlan`). Each sends one request and then nothing more.
 * Prints `HOLDING n` when n are open, reads a number from its input and goes on to so many; ends with its input.
 */
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { connect as connectTls } from 'node:tls'
import { createResponseReader } from '../latency/response.ts'

/** What each connection asks. */
export interface HolderPlan {
  readonly url: string
  readonly callers: readonly Readonly<Record<string, string>>[]
}

const plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as HolderPlan
const url = new URL(plan.url)
// So many requests at once, and so many connections to the upstream.
const lanes = 32
let held = 0

for await (const line of createInterface({ input: process.stdin })) {
  const goal = Number(line)
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (held < goal) {
        held += 1
        await hold(plan.callers[held % plan.callers.length] ?? {})
      }
    }),
  )
  console.log(`HOLDING ${held}`)
}
process.exit(0)

function hold(caller: Readonly<Record<string, string>>): Promise<void> {
  return new Promise((resolve) => {
    const fail = (reason: string): void => {
      console.log(`FAILED ${reason}`)
      process.exit(1)
    }
    const target = { host: url.hostname, port: Number(url.port) }
    const isTls = url.protocol === 'https:'
    const socket = isTls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target)
    const reader = createResponseReader()
    socket.once(isTls ? 'secureConnect' : 'connect', () => socket.write(requestOf(caller)))
    socket.on('data', (piece: Buffer) => {
      const reading = reader.read(piece)
      if (reading === 'bad') fail('an answer was not as expected')
      if (reading === 'done') resolve()
    })
    socket.on('error', (error) => fail(error.message))
    socket.on('close', () => fail('a connection was closed'))
  })
}

function requestOf(caller: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ Host: url.host, ...caller }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n`
}
