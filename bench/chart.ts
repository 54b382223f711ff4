// CPU per request as bars: one plain SVG. It brings its own ground, light or dark, as some viewers know one of them only.
import type { ResultRow } from './result.ts'
import { arrange, familyOf } from './sections.ts'
import type { Family } from './sections.ts'

const families: Readonly<Record<Family, string>> = {
  wire: 'Portcullis, data plane wire',
  node: 'Portcullis, data plane node',
  proxy: 'nginx and HAProxy',
  peer: 'gateways and proxies for Node.js',
}

const width = 900
const labels = 270
const values = 125
const barRoom = width - labels - values
const lineHeight = 21
const headHeight = 34
const top = 74
/** As a multiple of nginx's. */
const mostTimes = 7

interface Line {
  readonly y: number
  readonly title?: string
  readonly row?: ResultRow
}

/** Draws the rows of a result. */
export function drawChart(rows: readonly ResultRow[]): string {
  const { lines, height } = layOut(rows)
  const baseline = rows.find(({ name }) => name === 'nginx plain')?.cpuMicrosPerRequest
  const longest = longestBar(
    rows.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest),
    baseline,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">CPU time per request</title>
<desc id="description">${describe(rows)}</desc>
<style>
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .head { font-weight: 600 } .value, .small { fill: #59636e } .small { font-size: 12px }
  .page { fill: #ffffff }
  .wire { fill: #0969da } .node { fill: #54aeff } .proxy { fill: #818b98 } .peer { fill: #bf8700 } .line { stroke: #818b98; stroke-dasharray: 3 3 } .cut { stroke: #ffffff; stroke-width: 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .value, .small { fill: #9198a1 }
    .page { fill: #0d1117 }
    .wire { fill: #4493f8 } .node { fill: #1f6feb; fill-opacity: .6 } .proxy { fill: #656c76 } .peer { fill: #d29922 } .line { stroke: #656c76 } .cut { stroke: #0d1117 }
  }
</style>
<rect class="page" width="${width}" height="${height}"/>
<text class="title" x="8" y="22">CPU time per request, in microseconds: shorter is better</text>
${legend()}
${baseline === undefined ? '' : baselineMark((baseline / longest) * barRoom, height)}
${lines.map((line) => drawLine(line, longest)).join('\n')}
</svg>
`
}

function layOut(rows: readonly ResultRow[]): { readonly lines: readonly Line[]; readonly height: number } {
  const lines: Line[] = []
  let y = top
  for (const section of arrange(rows)) {
    lines.push({ y: y + 22, title: section.title })
    y += headHeight
    for (const row of section.rows) {
      lines.push({ y, row })
      y += lineHeight
    }
  }
  return { lines, height: y + 12 }
}

/** Bars of what costs many times as much would make the others too short to be told apart: they are cut. */
export function longestBar(micros: readonly number[], baseline: number | undefined): number {
  const longest = Math.max(1, ...micros)
  return baseline === undefined ? longest : Math.min(longest, mostTimes * baseline)
}

function legend(): string {
  let x = 8
  return Object.entries(families)
    .map(([family, text]) => {
      const item = `<rect class="${family}" x="${x}" y="40" width="12" height="12" rx="2"/><text class="small" x="${x + 18}" y="51">${text}</text>`
      x += 34 + text.length * 6.3
      return item
    })
    .join('')
}

function baselineMark(length: number, height: number): string {
  const x = round(labels + length)
  return `<line class="line" x1="${x}" y1="${top}" x2="${x}" y2="${height - 8}"/><text class="small" x="${x + 4}" y="${top + 6}">nginx plain</text>`
}

function drawLine({ y, title, row }: Line, longest: number): string {
  if (row === undefined) return `<text class="head" x="8" y="${y}">${escape(title ?? '')}</text>`
  const { name, cpuMicrosPerRequest: micros, cpuRatioToNginx: ratio } = row
  const isCut = micros > longest
  const length = round(Math.min(1, micros / longest) * barRoom)
  const end = labels + length
  const cut = isCut
    ? `<line class="cut" x1="${end - 22}" y1="${y + 16}" x2="${end - 14}" y2="${y}"/><line class="cut" x1="${end - 14}" y1="${y + 16}" x2="${end - 6}" y2="${y}"/>`
    : ''
  return `<text x="20" y="${y + 13}">${escape(name)}</text><rect class="${familyOf(name)}" x="${labels}" y="${y + 2}" width="${length}" height="14" rx="2"/>${cut}<text class="value" x="${round(end + 6)}" y="${y + 13}">${digits(micros)} · ${ratio.toFixed(2)} ×</text>`
}

function describe(rows: readonly ResultRow[]): string {
  return escape(
    rows
      .map(({ name, cpuMicrosPerRequest }) => `${name}: ${digits(cpuMicrosPerRequest)} microseconds`)
      .join('; '),
  )
}

function digits(micros: number): string {
  return micros < 100 ? micros.toFixed(1) : Math.round(micros).toLocaleString('en')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
