#!/usr/bin/env node
// The version guard. It may import nothing that an old Node.js lacks: its one job there is to say so plainly,
// or to hand over to a suitable Node.js that is installed beside it (a checkout has one).
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 15)) {
  const source = join(here, '..', 'src', 'cli', 'main.ts')
  const entry = existsSync(source) ? source : join(here, '..', 'dist', 'cli', 'main.js')
  const { main } = await import(new URL(`file://${entry}`).href)
  await main(process.argv.slice(2))
} else {
  const other = bundledNode()
  if (other === undefined) {
    process.stderr.write(
      `portcullis needs Node.js 24.15 or newer (26 LTS is best); this is ${process.versions.node}\n`,
    )
    process.exitCode = 78
  } else {
    handOver(other)
  }
}

/** @returns {string | undefined} the path of a Node.js that a package of this checkout carries */
function bundledNode() {
  try {
    const name = `node-${process.platform}-${process.arch}`
    return createRequire(import.meta.url).resolve(`${name}/bin/node`)
  } catch {
    return undefined
  }
}

/** @param {string} node */
function handOver(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143)
  })
}
