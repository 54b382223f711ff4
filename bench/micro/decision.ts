/**
 * What it costs to decide: real snapshots, store and audit log, requests without sockets, an upstream that answers at once.
 * CPU microseconds for a request, on the deciding thread and on all. Run with `node bench/micro/decision.ts`;
 * `--only WORD`, `--audit off|relaxed|strict`, `--no-index`, `--routes N`, `--requests N`, `--rounds N`, `--stages`, `--json`.
 */
import { parseArgs } from 'node:util'
import { openBench } from './decision/gateway.ts'
import { measure, measureStages, settle } from './decision/measure.ts'
import { scenarioNames, scenarios } from './decision/requests.ts'

const { values } = parseArgs({
  allowNegative: true,
  options: {
    only: { type: 'string', default: '' },
    audit: { type: 'string', default: 'relaxed' },
    index: { type: 'boolean', default: true },
    routes: { type: 'string', default: '0' },
    requests: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '5' },
    stages: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const requests = Number(values.requests)
const rounds = Number(values.rounds)
const audit = values.audit as 'off' | 'relaxed' | 'strict'
const names = scenarioNames.filter((name) => name.includes(values.only))

const bench = await openBench({ audit, index: values.index, routes: Number(values.routes) })
try {
  const chosen = await scenarios(bench, names)
  const rows: { name: string; main: number; all: number; stages?: Record<string, number> }[] = []
  for (const scenario of chosen) {
    const cost = await measure(bench, scenario, Math.min(requests, scenario.most ?? requests), rounds)
    if (!values.stages) rows.push({ name: scenario.name, ...cost })
    else {
      await settle(bench)
      const stages = Object.fromEntries(measureStages(bench, scenario, 60))
      rows.push({ name: scenario.name, ...cost, stages })
    }
  }
  if (values.json) console.log(JSON.stringify(rows))
  else print(rows)
} finally {
  await bench.close()
}

function print(
  rows: readonly { name: string; main: number; all: number; stages?: Record<string, number> }[],
): void {
  console.log(`${'µs CPU for a request'.padEnd(28)}${'main'.padStart(9)}${'all'.padStart(9)}`)
  for (const { name, main, all, stages } of rows) {
    console.log(`${name.padEnd(28)}${main.toFixed(2).padStart(9)}${all.toFixed(2).padStart(9)}`)
    for (const [stage, microseconds] of Object.entries(stages ?? {}))
      console.log(`  ${stage.padEnd(30)}${microseconds.toFixed(2).padStart(7)}`)
  }
}
