// The text of docs/performance.md.
import { judge, noiseOf } from './goals.ts'
import type { Verdict } from './goals.ts'
import type { Cost, Profile } from './profile.ts'
import { latencyColumns, memoryColumns } from './report.ts'
import type { Result, ResultRow } from './result.ts'
import { arrange, growthOf } from './sections.ts'
import { cellsOf, percent } from './table.ts'
import type { Column } from './table.ts'

const numbers: readonly Column<ResultRow>[] = [
  ['target', (row) => row.name],
  ['CPU µs', (row) => row.cpuMicrosPerRequest.toFixed(1)],
  ['÷ nginx plain', (row) => row.cpuRatioToNginx.toFixed(2)],
  ['in the kernel', (row) => percent(row.kernelShare)],
  ['requests/s', (row) => Math.round(row.requestsPerSecond).toLocaleString('en')],
  ['core busy', (row) => percent(row.busy)],
  ['spread', (row) => percent(row.spread)],
]

const verdicts: readonly Column<Verdict>[] = [
  ['against', ({ goal }) => goal],
  ['at most', ({ limit, unit }) => (unit === 'KiB' ? `${limit} KiB` : `${limit} times`)],
  ['found', ({ found }) => (found === undefined ? '' : found.toFixed(2))],
  ['', ({ verdict }) => (verdict === 'missed' ? '**missed**' : verdict)],
  ['compared', ({ compared }) => compared],
]

/**
 * Writes the page.
 *
 * @param notes what people add: why something was missed, and what is to be tried next (Markdown)
 */
export function writePage(result: Result, notes: string): string {
  return [
    introduction(result),
    goals(result, notes),
    method(result),
    ...rowSections(result),
    ...(result.latency.length > 0 ? [latency(result)] : []),
    ...(result.memory.length > 0 ? [memory(result)] : []),
    ...(result.profile === undefined ? [] : [profile(result.profile)]),
    missing(result),
    again,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n')
}

function introduction({ date, rows }: Result): string {
  const ratio = (name: string): string | undefined =>
    rows.find((row) => row.name === name)?.cpuRatioToNginx.toFixed(2)
  const wire = ratio('portcullis wire RS256 warm')
  const headline =
    wire === undefined
      ? ''
      : `\n\nA request of a known caller (RS256 token, verified before) costs **${wire} times** the CPU time that nginx needs to pass it
on without looking at it.`
  return `# Performance

<!-- Made by \`node bench/page.ts\` from docs/performance.json; the text is in bench/page-text.ts and bench/notes.md. -->

What the gateway costs, beside what else could stand in its place: one run of \`npm run bench\`, on ${date}.
Portcullis runs with everything on: routing, keys and tokens, authorization, rate limit, identity fields, a signed
assertion, metrics and the audit log with its index.${headline}

![CPU time per request](performance.svg)`
}

function goals(result: Result, notes: string): string {
  const noise = noiseOf(result)
  const known =
    noise === undefined
      ? ''
      : `\n\nTwo equal rows of this run differ by up to ${percent(noise)}: no ratio is known better than that.`
  return `## Goals

CPU time per request of the wire data plane as a multiple of the other's, in one run.

${markdown(judge(result), verdicts, ['', 'compared'])}${known}${notes === '' ? '' : `\n\n${notes.trim()}`}`
}

function method({ machine, versions, setting, foreignCores }: Result): string {
  return `## Method

- Machine: ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.kernel}. Node.js ${versions.node}, nginx ${versions.nginx}, HAProxy
  ${versions.haproxy}, wrk ${versions.wrk}.
- Each target has core 0 to itself while it is measured, with all its threads and processes; load and upstream have core 1.
  All is on loopback. The upstream is nginx and answers one kilobyte of JSON.
- Load: wrk with ${setting.connections} kept connections, ${setting.rounds} rounds of ${setting.seconds} s, after a warm-up. Rounds are interleaved (A B C … A B C …);
  numbers are medians. A run in which other processes took more than 12 % of a core is repeated, up to three times in all.
- **Read the CPU column first.** It is user and system time of all processes of the target, as the kernel charges it, divided by
  requests. Requests a second are also what load and upstream can do: where "core busy" is well below 100 %, the target was
  waiting for them. Other processes used up to ${percent(foreignCores)} of a core in a run that counts.
- A known caller: 100 credentials in turn, so that all but the first requests meet a cache. "Cold": ${setting.coldTokens.toLocaleString('en')} tokens of
  1,000 callers in turn, each token forgotten before it comes again; an assertion serves its caller for half a minute,
  whichever token came. "Strangers": as many callers as tokens, so that each request needs a signature of the gateway, too.
  HAProxy and nginx have no such cache, and sign nothing: cold is like warm for them.
- Every target shows before it is measured that it lets the good in and refuses a missing and a spoilt credential, that the
  upstream is told who calls, and that it does not see the credential.
- HAProxy checks algorithm, signature, issuer, audience, expiry and one scope, and writes two identity fields; nginx with Lua does
  the same, written by hand over OpenSSL. The Node.js peers share one HS256 check with a cache of 4,096 tokens;
  express-gateway uses the JWT policy that it comes with. None of them writes a log; Portcullis writes an audit event for
  each request.`
}

function rowSections({ rows }: Result): string[] {
  const sections = arrange(rows).map(
    ({ title, rows: members }) => `### ${title}\n\n${markdown(members, numbers)}`,
  )
  const growth = growthOf(rows)
  if (growth.length > 0) {
    sections.push(`### Many routes, keys and revocations

Measured beside each other; the two equal rows tell what a difference means. Keys: 1,000 of them in turn, the others are in
the store. Revocations: of that many other tokens. Routes: the one that is asked for comes last.

${markdown(growth, numbers)}`)
  }
  return sections.length === 0 ? [] : ['## CPU and requests', ...sections]
}

function latency({ setting, latency: rows }: Result): string {
  return `## Latency

At ${setting.rate.toLocaleString('en')} requests a second, whatever the target does: time counts from when a request was due, so that a pause is seen by
every request that it held up. Medians over the rounds. "Generator late": requests that were due while the load itself was
behind; the tails of all rows hold what the machine adds.

${markdown(rows, latencyColumns)}`
}

function memory({ memory: rows }: Result): string {
  return `## Memory of idle connections

Resident memory of the target just started, and with so many connections open that each made one request and is silent
since. The last column leaves out the first tenth, with which the program itself grows: code is compiled, the heap gets its
size. What the kernel keeps for a socket is in no column.

${markdown(rows, memoryColumns)}`
}

function profile({ name, inside, threads, perf }: Profile): string {
  const parts = [
    `## Where the time goes

\`npm run bench -- --profile "${name}"\` shows more of this.`,
  ]
  if (perf !== undefined) {
    const shares: Column<(typeof perf.places)[number]>[] = [
      ['where the core was (perf)', (share) => share.name],
      ['share', (share) => percent(share.part)],
    ]
    parts.push(
      markdown(
        perf.places.filter(({ part }) => part >= 0.005),
        shares,
      ),
    )
  }
  parts.push(markdown(threads, costColumns('thread')))
  if (inside !== undefined) {
    parts.push(
      `The main thread (${inside.microsPerRequest.toFixed(1)} µs a request), self time as V8's profiler samples it. What a function of Node.js calls of the
system counts as its own: the kernel's part is in \`writeLatin1String\` and the like.`,
      markdown(inside.rooms.slice(0, 20), costColumns('room')),
      markdown(inside.functions.slice(0, 20), costColumns('function')),
    )
  }
  return parts.join('\n\n')
}

function costColumns(title: string): readonly Column<Cost>[] {
  return [
    [title, ({ name }) => `\`${name}\``],
    ['µs a request', ({ micros }) => micros.toFixed(2)],
    ['share', ({ part }) => percent(part)],
  ]
}

function missing({ skipped, failed }: Result): string {
  const byReason = new Map<string, string[]>()
  for (const [word, rows] of [
    ['not measured', skipped],
    ['failed', failed],
  ] as const) {
    for (const { name, reason } of rows) {
      const key = `${word}: ${reason.split('\n')[0] ?? ''}`
      byReason.set(key, [...(byReason.get(key) ?? []), name])
    }
  }
  if (byReason.size === 0) return ''
  const lines = [...byReason].map(([reason, names]) => `- ${names.join(', ')}: ${reason}`)
  return `## Not in the tables\n\n${lines.join('\n')}`
}

const again = `## Run it yourself

\`\`\`sh
npm run bench -- --quick                            # a look, some minutes
npm run bench -- --json docs/performance.json       # everything, about 45 minutes
node bench/page.ts                                  # this page and its chart
\`\`\`

It needs Linux, two cores and \`apt-get install nginx haproxy wrk libnginx-mod-http-lua lua-cjson linux-perf\`; what is missing
is left out and said. [bench/README.md](../bench/README.md) lists all rows. Numbers of two machines, or of two runs, are not
to be compared; ratios of one run are.`

/** Words to the left, numbers to the right: words stand in the first column, and in those that are named. */
function markdown<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  words: readonly string[] = [],
): string {
  const [head = [], ...lines] = cellsOf(rows, columns)
  const rule = head.map((title, index) => (index === 0 || words.includes(title) ? '---' : '--:'))
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
