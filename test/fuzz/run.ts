/**
 * The fuzzer: `npm run fuzz -- [--seed N] [--seconds N | --cases N] [--corpus FILE]`.
 * Feeds the same bytes to our parsers and to others. Ends with 1 when ours took something that another refuses, or read it
 * differently; the smallest such input is printed as JSON, in the form that `--corpus` reads (an array of them).
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { corpusInputs } from './corpus-inputs.ts'
import { runCampaign, type Outcome } from './campaign.ts'
import type { Input } from './reading.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string' },
    cases: { type: 'string' },
    corpus: { type: 'string' },
  },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
const cases = Number(values.cases ?? Infinity)
const seconds = Number(values.seconds ?? (values.cases === undefined ? 60 : Infinity))
const more = values.corpus === undefined ? [] : (JSON.parse(await readFile(values.corpus, 'utf8')) as Input[])

print(`seed ${seed}`)
const started = performance.now()
const outcome = await runCampaign({
  seed,
  cases,
  milliseconds: seconds * 1000,
  corpus: [...corpusInputs(), ...more],
  progress: (done) => void process.stderr.write(`${done} inputs\r`),
})
show(outcome, (performance.now() - started) / 1000)
process.exit(outcome.findings.length === 0 ? 0 : 1)

function show(found: Outcome, took: number): void {
  print(
    `${found.cases} inputs in ${took.toFixed(1)} s, ${found.accepted} of them taken at least in part, ${found.splits} read again in pieces`,
  )
  list('we refuse, it accepts', found.stricter)
  list('it refuses what we have not taken yet', found.waiting)
  list('reviewed', found.reviewed)
  print(`we accept, it refuses or reads differently: ${found.findings.length === 0 ? 'none' : ''}`)
  for (const { oracle, what, count, input } of found.findings)
    print(`  ${String(count).padStart(8)}  ${oracle}: ${what}\n            ${JSON.stringify(input)}`)
}

function list(title: string, counts: ReadonlyMap<string, number>): void {
  print(`${title}:${counts.size === 0 ? ' none' : ''}`)
  for (const [what, count] of [...counts].sort((one, other) => other[1] - one[1]))
    print(`  ${String(count).padStart(8)}  ${what}`)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
