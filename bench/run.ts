// npm run bench: nginx, HAProxy and Portcullis side by side, one core each in turn, same upstream and same tokens.
import { writeFile } from 'node:fs/promises'
import { disturbed } from './one-run.ts'
import { judge } from './goals.ts'
import { readOptions, usage } from './options.ts'
import type { BenchOptions, Request } from './options.ts'
import { measureAll } from './phases.ts'
import type { Processes } from './processes.ts'
import { describeProfile, profileRow } from './profile.ts'
import { progress } from './progress.ts'
import { requirePrograms } from './requirements.ts'
import type { Versions } from './requirements.ts'
import { formatReport } from './report.ts'
import { allRows } from './rows.ts'
import type { Row } from './rows.ts'
import { inSession } from './session.ts'
import { gatewayCore, loadCore, onStage } from './stage.ts'

await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  let asked: Request
  try {
    asked = readOptions(args)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exitCode = 2
    return
  }
  if (asked === 'help') console.log(usage)
  else if (asked === 'list') for (const { name } of allRows(1)) console.log(name)
  else {
    const options = asked
    await inSession((folder, processes) => bench(options, folder, processes))
  }
}

async function bench(options: BenchOptions, folder: string, processes: Processes): Promise<void> {
  const versions = requirePrograms()
  if (options.profile !== undefined) {
    const row = rowNamed(options.profile, options)
    const profile = await onStage(folder, processes, (stage) => profileRow(stage, row, options))
    console.log(describeProfile(profile))
    if (options.jsonFile !== undefined) await writeJson(options.jsonFile, profile)
    return
  }
  announce(options, versions)
  const result = await onStage(folder, processes, (stage) => measureAll(stage, options, versions))
  progress('')
  console.log(formatReport(result, disturbed))
  if (options.jsonFile !== undefined) await writeJson(options.jsonFile, { ...result, goals: judge(result) })
  if (result.failed.length > 0) process.exitCode = 1
}

/** @throws {Error} listing the names that there are */
function rowNamed(name: string, { coldTokens }: BenchOptions): Row {
  const rows = allRows(coldTokens)
  const row = rows.find((each) => each.name === name)
  if (row !== undefined) return row
  throw new Error(`there is no row "${name}"; there are:\n${rows.map((each) => `  ${each.name}`).join('\n')}`)
}

function announce(options: BenchOptions, { node, nginx, haproxy, wrk }: Versions): void {
  console.log(
    `Node.js ${node}, nginx ${nginx}, HAProxy ${haproxy}, wrk ${wrk}; ` +
      `gateway on core ${gatewayCore}, load and upstream on core ${loadCore}; ` +
      `${options.connections} connections, ${options.rounds} rounds of ${options.seconds} s, medians.`,
  )
  console.log(
    `Warm: 100 credentials in turn. Cold: ${options.coldTokens.toLocaleString('en')} tokens of 1,000 callers in turn, so that each has been forgotten when it comes again.`,
  )
  if (options.isQuick) console.log('Quick run: fewer and shorter rounds; good for a look, not for a claim.')
}

async function writeJson(file: string, content: unknown): Promise<void> {
  await writeFile(file, `${JSON.stringify(content, undefined, 2)}\n`)
}
