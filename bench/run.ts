// npm run bench: nginx, HAProxy and Portcullis side by side, one core each in turn, same upstream and same tokens.
import { writeFile } from 'node:fs/promises'
import { isChosen } from './choose.ts'
import { createCpuMeter } from './cpu.ts'
import { createLoad } from './load.ts'
import { describeMachine } from './machine.ts'
import { measure } from './measure.ts'
import type { MeasurableRow } from './measure.ts'
import { disturbed } from './one-run.ts'
import { readOptions, usage } from './options.ts'
import type { BenchOptions } from './options.ts'
import type { Processes } from './processes.ts'
import { profileRow } from './profile.ts'
import { progress, sayLoudly } from './progress.ts'
import { requirePrograms } from './requirements.ts'
import type { Versions } from './requirements.ts'
import { toResultRow } from './result.ts'
import type { Result } from './result.ts'
import { allRows, baseline } from './rows.ts'
import type { RowStage } from './rows.ts'
import { inSession } from './session.ts'
import { gatewayCore, loadCore, onStage, startRows } from './stage.ts'
import type { Started } from './stage.ts'
import { formatTable, rowColumns } from './table.ts'
import { requestPath } from './targets/target.ts'

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
  const { profile } = options
  if (profile !== undefined) {
    const text = await onStage(folder, processes, (stage) => profileRow(stage, profile, options))
    console.log(text)
    return
  }
  announce(options, versions)
  const result = await onStage(folder, processes, (stage) => measureAll(stage, options, versions))
  progress('')
  report(result)
  if (options.jsonFile !== undefined) {
    await writeFile(options.jsonFile, `${JSON.stringify(result, undefined, 2)}\n`)
  }
  if (result.failed.length > 0) process.exitCode = 1
}

async function measureAll(stage: RowStage, options: BenchOptions, versions: Versions): Promise<Result> {
  const { rounds, seconds, connections, coldTokens, only } = options
  const rows = allRows(coldTokens)
  const names = rows.map(({ name }) => name)
  const started = await startRows(
    stage,
    rows.filter(({ name }) => name === baseline || isChosen(name, only, names)),
  )
  const measured = await measure(await loadsFor(stage, started, connections), {
    baseline,
    rounds,
    seconds,
    warmUp: options.isQuick ? 2 : Math.max(5, seconds),
    cpu: createCpuMeter(),
    ownPid: process.pid,
    patience: { seconds: options.isQuick ? 10 : 120 },
    onRun: (round, name) => progress(round === 0 ? `warming up: ${name}` : `round ${round}: ${name}`),
  })
  for (const { name, reason } of measured.failed) sayLoudly(`${name} is left out: ${reason}`)
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    versions,
    setting: { rounds, seconds, connections, coldTokens },
    rows: measured.rows.map(toResultRow),
    skipped: started.skipped,
    failed: [...started.failed, ...measured.failed],
    foreignCores: measured.foreignCores,
  }
}

async function loadsFor(stage: RowStage, { rows }: Started, connections: number): Promise<MeasurableRow[]> {
  return Promise.all(
    rows.map(async ({ name, target, callers }) => {
      const setting = { name, folder: stage.folder, core: loadCore, connections }
      const plan = { url: target.url + requestPath, ...(callers === undefined ? {} : { callers }) }
      return { name, target, load: await createLoad(stage.processes, setting, plan) }
    }),
  )
}

function announce(options: BenchOptions, { node, nginx, haproxy, wrk }: Versions): void {
  console.log(
    `Node.js ${node}, nginx ${nginx}, HAProxy ${haproxy}, wrk ${wrk}; ` +
      `gateway on core ${gatewayCore}, load and upstream on core ${loadCore}; ` +
      `${options.connections} connections, ${options.rounds} rounds of ${options.seconds} s, medians.`,
  )
  console.log(
    `Warm: 100 credentials in turn. Cold: ${options.coldTokens.toLocaleString('en')} tokens in turn, so that each has been forgotten when it comes again.`,
  )
  if (options.isQuick) console.log('Quick run: fewer and shorter rounds; good for a look, not for a claim.')
}

function report({ rows, foreignCores, skipped, failed }: Result): void {
  console.log(`\n${formatTable(rows, rowColumns)}\n`)
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
  for (const { name, reason } of skipped) console.log(`Skipped: ${name} (${reason})`)
  for (const { name } of failed) console.log(`FAILED, and so not in the table: ${name}`)
}
