// npm run soak: mixed traffic against one started gateway, for minutes; no unexpected answer, and memory stays flat.
import { parseArgs } from 'node:util'
import { createIssuer } from './credentials.ts'
import { positive } from './options.ts'
import { indent, pause } from './processes.ts'
import type { Processes, Running } from './processes.ts'
import { inSession } from './session.ts'
import { soakConfiguration } from './soak/configuration.ts'
import { createClient } from './soak/exchange.ts'
import { describeCourse, takeSample } from './soak/memory.ts'
import type { Course, Sample } from './soak/memory.ts'
import { drive, makeKinds } from './soak/traffic.ts'
import type { Tally } from './soak/traffic.ts'
import { startSoakUpstream } from './soak/upstream.ts'
import { launch } from './targets/portcullis.ts'
import type { DataPlane } from './targets/portcullis.ts'

const usage = `npm run soak -- [--seconds N] [--connections N] [--data-plane wire|node]

  --seconds N        how long (default 600); memory is judged from 120 s on
  --connections N    requests under way at once (default 32)
  --data-plane NAME  wire or node (default: that of the gateway)
`

// Before that, just-in-time compilation and filling caches are all that memory shows.
const shortestJudgedRun = 120

await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  let seconds: number
  let connections: number
  let dataPlane: DataPlane | undefined
  try {
    const options = {
      seconds: { type: 'string' },
      connections: { type: 'string' },
      'data-plane': { type: 'string' },
      help: { type: 'boolean' },
    } as const
    const { values } = parseArgs({ args: [...args], options })
    if (values.help === true) {
      console.log(usage)
      return
    }
    seconds = positive('seconds', values.seconds, 600)
    connections = positive('connections', values.connections, 32)
    dataPlane = readDataPlane(values['data-plane'])
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exitCode = 2
    return
  }
  await inSession((folder, processes) => soak(folder, processes, { seconds, connections, dataPlane }))
}

function readDataPlane(text: string | undefined): DataPlane | undefined {
  if (text === undefined || text === 'wire' || text === 'node') return text
  throw new Error(`--data-plane expects wire or node, found "${text}"`)
}

interface SoakOptions {
  readonly seconds: number
  readonly connections: number
  readonly dataPlane: DataPlane | undefined
}

async function soak(
  folder: string,
  processes: Processes,
  { seconds, connections, dataPlane }: SoakOptions,
): Promise<void> {
  const issuer = await createIssuer()
  const upstream = await startSoakUpstream()
  try {
    const configuration = await soakConfiguration(issuer, upstream.url, dataPlane)
    const gateway = await launch({ folder, processes }, 'portcullis', configuration, 20)
    const kinds = await makeKinds(issuer, gateway.apiKeys)
    const client = createClient(gateway.url, connections)
    const tally: Tally = { sent: new Map(), failed: new Map() }
    const deadline = Date.now() + seconds * 1000
    console.log(`${seconds} s of mixed traffic, ${connections} requests at once, against ${gateway.url}`)
    const [samples] = await Promise.all([
      watch(gateway.process, deadline),
      drive(client, kinds, { lanes: connections, deadline, tally }),
    ])
    client.close()
    report(tally, describeCourse(samples), seconds)
    await endGateway(gateway.process)
  } finally {
    await upstream.close()
    await issuer.close()
  }
}

/** Looks once a second; a gateway that dies ends the run at once. */
async function watch(gateway: Running, deadline: number): Promise<Sample[]> {
  const state = { hasEnded: false }
  void gateway.ended.then(() => (state.hasEnded = true))
  const samples: Sample[] = []
  while (Date.now() < deadline) {
    if (state.hasEnded) throw new Error(`the gateway ended:\n${indent(gateway.output())}`)
    samples.push(takeSample(gateway.pid))
    await pause(Math.min(1000, Math.max(0, deadline - Date.now())))
  }
  return samples
}

function report(tally: Tally, course: Course, seconds: number): void {
  const total = [...tally.sent.values()].reduce((sum, count) => sum + count, 0)
  console.log(
    `\n${total.toLocaleString('en')} requests, ${Math.round(total / seconds).toLocaleString('en')} a second`,
  )
  for (const [name, count] of tally.sent)
    console.log(`  ${name.padEnd(18)}${count.toLocaleString('en').padStart(12)}`)
  for (const when of ['start', 'middle', 'end'] as const) {
    const { residentBytes, openFiles } = course[when]
    const mebibytes = (residentBytes / 1024 / 1024).toFixed(1)
    console.log(`RSS at the ${when.padEnd(7)}${mebibytes.padStart(8)} MiB, ${openFiles} open files`)
  }
  for (const [name, { count, first }] of tally.failed) {
    console.error(`${name}: ${count} unexpected answers, the first:\n${indent(first)}`)
    process.exitCode = 1
  }
  if (tally.failed.size === 0) console.log('Every answer was the expected one.')
  if (seconds < shortestJudgedRun) console.log('Too short to judge memory.')
  else if (course.isFlat) console.log('Memory is flat.')
  else {
    console.error('Memory grew between the middle and the end.')
    process.exitCode = 1
  }
}

async function endGateway(gateway: Running): Promise<void> {
  const code = await gateway.stop(40_000)
  if (code === 0) return
  console.error(`on SIGTERM the gateway ended with ${code ?? 'a signal'}:\n${indent(gateway.output())}`)
  process.exitCode = 1
}
