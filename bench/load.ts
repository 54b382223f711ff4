// One run of wrk: many connections, one thread, each request with the next caller of a list.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Caller, OneTimeCallers } from './callers.ts'
import type { Processes } from './processes.ts'

/** Where requests go, and who sends them. */
export interface LoadPlan {
  readonly url: string
  /** In turn; absent where callers say nothing of themselves. */
  readonly callers?: readonly Caller[] | OneTimeCallers
}

/** What one run did. */
export interface LoadResult {
  readonly requests: number
  readonly seconds: number
}

/** Sends load to one target. Each run goes on in the list of callers where the last one stopped. */
export interface Load {
  /** What takes time and is not to be measured: proofs that are good once. `run` calls it where nobody did. */
  prepare(seconds: number): Promise<void>
  run(seconds: number): Promise<LoadResult>
}

/** More proofs than any gateway judges in a second on one core: beginning anew would be a replay. */
const mostProofsPerSecond = 14_000

/** Writes the script and the callers of a target. */
export async function createLoad(
  processes: Processes,
  setting: {
    readonly name: string
    readonly folder: string
    readonly core: number
    readonly connections: number
  },
  plan: LoadPlan,
): Promise<Load> {
  const file = join(setting.folder, `load-${setting.name.replaceAll(/\W+/g, '-')}`)
  const { callers = [{}] } = plan
  const oneTime = 'make' in callers ? callers : undefined
  if (!('make' in callers)) await writeFile(`${file}.txt`, callersText(callers), { mode: 0o600 })
  await writeFile(`${file}.lua`, script(`${file}.txt`), { mode: 0o600 })
  const state = { offset: 0, prepared: 0, perSecond: mostProofsPerSecond }

  const prepare = async (seconds: number): Promise<void> => {
    if (oneTime === undefined || state.prepared >= seconds) return
    const [url = plan.url] = plan.url.split('?')
    const count = Math.ceil(state.perSecond * seconds) + 2 * setting.connections
    await writeFile(`${file}.txt`, callersText(oneTime.make(url, count)), { mode: 0o600 })
    state.prepared = seconds
  }

  return {
    prepare,
    async run(seconds) {
      await prepare(seconds)
      const process = processes.start({
        name: `wrk for ${setting.name}`,
        core: setting.core,
        command: [
          'wrk',
          '-t1',
          `-c${setting.connections}`,
          `-d${seconds}s`,
          '--timeout',
          '10s',
          '-s',
          `${file}.lua`,
          plan.url,
          '--',
          String(state.offset),
        ],
      })
      const timer = setTimeout(() => void process.stop(0), (seconds + 20) * 1000)
      await process.ended
      clearTimeout(timer)
      const result = parse(setting.name, process.output())
      if (oneTime === undefined) {
        // Every connection had one more under way at the end, which was sent and so is known to the target.
        state.offset += result.requests + setting.connections
      } else {
        state.prepared = 0
        // A gateway gets faster while it warms up.
        state.perSecond = Math.min(mostProofsPerSecond, 3000 + (result.requests / result.seconds) * 2)
      }
      return result
    },
  }
}

function parse(name: string, output: string): LoadResult {
  const line = /^RESULT (.*)$/m.exec(output)?.[1]
  if (line === undefined) throw new Error(`wrk gave no result for ${name}:\n${output}`)
  const { requests, micros, ...errors } = JSON.parse(line) as Record<string, number>
  const failures = Object.entries(errors).filter(([, count]) => count > 0)
  if (failures.length > 0 || requests === undefined || micros === undefined || requests === 0) {
    const counts = failures.map(([kind, count]) => `${kind} ${count}`).join(', ')
    throw new Error(`under load, ${name} did not answer every request with 200: ${counts || 'no answers'}`)
  }
  return { requests, seconds: micros / 1_000_000 }
}

/** One line for each caller: names and values in turn, between tabs. */
function callersText(callers: readonly Caller[]): string {
  return callers.map((caller) => `${Object.entries(caller).flat().join('\t')}\n`).join('')
}

// Requests are made ready beforehand, so that the load generator spends its core on sending them.
function script(callers: string): string {
  return `
local requests, count, position = {}, 0, 0
function init(args)
  for line in io.lines(${JSON.stringify(callers)}) do
    local headers = {
      ["Accept"] = "application/json",
      ["User-Agent"] = "bench/1.0",
      ["Accept-Encoding"] = "gzip",
    }
    for name, value in line:gmatch("([^\\t]+)\\t([^\\t]+)") do headers[name] = value end
    count = count + 1
    requests[count] = wrk.format("GET", nil, headers)
  end
  position = tonumber(args[1] or "0") % count
end
function request()
  position = position % count + 1
  return requests[position]
end
function done(summary, latency)
  local e = summary.errors
  print(string.format(
    'RESULT {"requests":%d,"micros":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}',
    summary.requests, summary.duration, e.connect, e.read, e.write, e.status, e.timeout))
end
`
}
