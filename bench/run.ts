// npm run bench: nginx, HAProxy and Portcullis side by side, one core each in turn, same upstream and same tokens.
import { writeFile } from 'node:fs/promises'
import { createCpuMeter } from './cpu.ts'
import { createIssuer } from './credentials.ts'
import type { Issuer } from './credentials.ts'
import { createLoad } from './load.ts'
import { measure } from './measure.ts'
import type { MeasurableRow, Measurement } from './measure.ts'
import { disturbed } from './one-run.ts'
import { readOptions, usage } from './options.ts'
import type { BenchOptions } from './options.ts'
import { probe } from './probe.ts'
import type { Processes } from './processes.ts'
import { requirePrograms } from './requirements.ts'
import type { Versions } from './requirements.ts'
import { allRows, chooseRows } from './rows.ts'
import { inSession } from './session.ts'
import { formatJson, formatTable } from './table.ts'
import { startUpstream } from './targets/nginx.ts'
import { requestPath } from './targets/target.ts'
import type { Stage } from './targets/target.ts'

const gatewayCore = 0
const loadCore = 1

await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  let options: BenchOptions | undefined
  try {
    options = readOptions(args)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exitCode = 2
    return
  }
  if (options === undefined) {
    console.log(usage)
    return
  }
  const chosen = options
  await inSession((folder, processes) => bench(chosen, folder, processes))
}

async function bench(options: BenchOptions, folder: string, processes: Processes): Promise<void> {
  const versions = requirePrograms()
  announce(options, versions)
  const issuer = await createIssuer()
  try {
    const rows = await startRows(options, folder, processes, issuer)
    const result = await measure(rows, {
      rounds: options.rounds,
      seconds: options.seconds,
      cpu: createCpuMeter(),
      ownPid: process.pid,
      patience: { seconds: options.isQuick ? 10 : 120 },
      onRun: (round, name) => progress(round === 0 ? `warming up: ${name}` : `round ${round}: ${name}`),
    })
    progress('')
    await report(options, result)
  } finally {
    await issuer.close()
  }
}

async function startRows(
  options: BenchOptions,
  folder: string,
  processes: Processes,
  issuer: Issuer,
): Promise<MeasurableRow[]> {
  const bare = { folder, processes, gatewayCore, loadCore, issuer }
  const upstream = await startUpstream(bare)
  const stage: Stage = { ...bare, upstream: upstream.url }
  const rows: MeasurableRow[] = []
  for (const row of chooseRows(allRows(options.coldTokens), options.only)) {
    progress(`starting: ${row.name}`)
    const started = await row.start(stage)
    await probe(row.name, started)
    const load = await createLoad(
      processes,
      { name: row.name, folder, core: loadCore, connections: options.connections },
      {
        url: started.target.url + requestPath,
        ...(started.credentials === undefined ? {} : { credentials: started.credentials }),
      },
    )
    rows.push({ name: row.name, target: started.target, load })
  }
  return rows
}

function announce(options: BenchOptions, versions: Versions): void {
  console.log(
    `Node.js ${process.versions.node}, nginx ${versions.nginx}, HAProxy ${versions.haproxy}, wrk ${versions.wrk}; ` +
      `gateway on core ${gatewayCore}, load and upstream on core ${loadCore}; ` +
      `${options.connections} connections, ${options.rounds} rounds of ${options.seconds} s, medians.`,
  )
  console.log(
    `Warm: 100 credentials in turn. Cold: ${options.coldTokens.toLocaleString('en')} tokens in turn, so that each has been forgotten when it comes again.`,
  )
  if (options.isQuick) console.log('Quick run: fewer and shorter rounds; good for a look, not for a claim.')
}

async function report(options: BenchOptions, { rows, foreignCores }: Measurement): Promise<void> {
  console.log(`\n${formatTable(rows)}\n`)
  console.log(
    `Other processes used up to ${Math.round(foreignCores * 100)} % of a core during a run${
      foreignCores > disturbed ? ': read the CPU column, and rather the ratios than the numbers.' : '.'
    }`,
  )
  for (const row of rows) {
    if (row.name.endsWith(' cold') && (row.cacheHits ?? 0) > 0.02) {
      console.log(`${row.name}: some tokens were still known; --cold-tokens must be larger.`)
    }
  }
  if (options.jsonFile !== undefined) await writeFile(options.jsonFile, formatJson(rows))
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`)
}
