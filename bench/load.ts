// One run of wrk: many connections, one thread, each request with the next credential of a list.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Processes } from './processes.ts'

/** Where requests go, and with which credentials in turn. */
export interface LoadPlan {
  readonly url: string
  /** A header and its values; absent where callers say nothing of themselves. */
  readonly credentials?: { readonly header: string; readonly values: readonly string[] }
}

/** What one run did. */
export interface LoadResult {
  readonly requests: number
  readonly seconds: number
}

/** Sends load to one target. Each run goes on in the list of credentials where the last one stopped. */
export interface Load {
  run(seconds: number): Promise<LoadResult>
}

/** Writes the script and the credentials of a target. */
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
  await writeFile(`${file}.txt`, (plan.credentials?.values ?? ['']).map((value) => `${value}\n`).join(''), {
    mode: 0o600,
  })
  await writeFile(`${file}.lua`, script(`${file}.txt`, plan.credentials?.header), { mode: 0o600 })
  let offset = 0

  return {
    async run(seconds) {
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
          String(offset),
        ],
      })
      const timer = setTimeout(() => void process.stop(0), (seconds + 20) * 1000)
      await process.ended
      clearTimeout(timer)
      const result = parse(setting.name, process.output())
      // Every connection had one more under way at the end, which was sent and so is known to the target.
      offset += result.requests + setting.connections
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

// Requests are made ready beforehand, so that the load generator spends its core on sending them.
function script(credentials: string, header: string | undefined): string {
  const fields = header === undefined ? '' : `headers[${JSON.stringify(header)}] = value`
  return `
local requests, count, position = {}, 0, 0
function init(args)
  for value in io.lines(${JSON.stringify(credentials)}) do
    local headers = {
      ["Accept"] = "application/json",
      ["User-Agent"] = "bench/1.0",
      ["Accept-Encoding"] = "gzip",
    }
    ${fields}
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
