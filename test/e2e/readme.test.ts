/**
 * The README's tour, run as printed: its shell blocks in one shell, in order, and each answer against the block below.
 * Only the place and the port differ: the tour must neither leave a folder in the checkout nor need port 8080.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const readme = await readFile(join(root, 'README.md'), 'utf8')
/** Processes start slowly on a busy machine. */
const patience = 240_000

interface Step {
  /** The words in bold above it. */
  readonly title: string
  readonly commands: string
  readonly printed: string
}

const [server, ...steps] = [
  ...readme.matchAll(/^```sh tour[^\n]*\n(.*?)^```$\n\n^```text\n(.*?)^```$/gms),
].map((match): Step => {
  const titles = [...readme.slice(0, match.index).matchAll(/\*\*(.+?)\*\*/gs)]
  return { title: titles.at(-1)?.[1] ?? 'the start', commands: match[1]!, printed: match[2]! }
})

let folder: string
let gateway: ChildProcessWithoutNullStreams
let shell: ChildProcessWithoutNullStreams
let banner = ''
let address = ''

function here(commands: string): string {
  return commands.replaceAll('./tour', `${folder}/tour`).replaceAll('127.0.0.1:8080', address)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-readme-'))
  // curl shows a progress meter where it does not write to a terminal.
  await writeFile(join(folder, '.curlrc'), 'silent\nshow-error\n')
  const options = { cwd: root, env: { ...process.env, CURL_HOME: folder }, detached: true }
  gateway = spawn('sh', ['-c', here(server!.commands).replace('--dir', '--port 0 --dir')], options)
  gateway.stderr.on('data', (chunk: Buffer) => (banner += chunk.toString()))
  banner = await readUntil(gateway, /Ctrl-C stops\.\n/)
  address = new URL(/sample catalog at (\S+)/.exec(banner)![1]!).host
  shell = spawn('sh', options)
  shell.stdin.write('exec 2>&1\n')
}, patience)

afterAll(async () => {
  for (const child of [shell, gateway]) {
    if (child?.pid === undefined || child.exitCode !== null) continue
    const ended = new Promise((resolve) => child.once('close', resolve))
    process.kill(-child.pid, 'SIGTERM')
    await ended
  }
  await rm(folder, { recursive: true, force: true })
}, patience)

describe('the README', () => {
  it('shows a tour of the gateway', () => {
    expect(steps.length).toBeGreaterThanOrEqual(10)
    expect(readme.match(/^```sh tour/gm)).toHaveLength(steps.length + 1)
  })

  it('starts it as printed', () => {
    expectPrinted(banner, server!.printed)
  })

  it.each(steps)(
    '$title',
    async ({ commands, printed }) => {
      const mark = `done-${Math.random()}`
      shell.stdin.write(`${here(commands)}\nprintf '\\n%s\\n' '${mark}'\n`)
      const output = await readUntil(shell, new RegExp(`\n${mark}\n`))
      expectPrinted(output.slice(0, output.lastIndexOf(`\n${mark}`)), printed)
    },
    patience,
  )
})

async function readUntil(child: ChildProcessWithoutNullStreams, end: RegExp): Promise<string> {
  let text = ''
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      text += chunk.toString()
      if (end.test(text)) settle(() => resolve(text))
    }
    const onClose = (): void => settle(() => reject(new Error(`it ended: ${text}${banner}`)))
    const settle = (how: () => void): void => {
      child.stdout.off('data', onData)
      child.off('close', onClose)
      how()
    }
    child.stdout.on('data', onData)
    child.once('close', onClose)
  })
}

/** `…` in the README stands for any text in its line, alone in a line for any lines. */
function expectPrinted(output: string, printed: string): void {
  const [actual, expected] = [steady(output), steady(printed)]
  const pattern = expected
    .trimEnd()
    .split('\n')
    .map((line) => (line === '…' ? '(?:[^\n]*\n)*?' : `${line.split('…').map(literally).join('[^\n]*')}\n`))
    .join('')
  if (!new RegExp(`^${pattern}$`).test(`${actual.trimEnd()}\n`)) expect(actual).toBe(expected)
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
}

/** Puts a word in the place of everything that differs from run to run. */
function steady(text: string): string {
  return (
    text
      .replaceAll('\r', '')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>')
      .replaceAll(/\b[0-9a-f]{32}\b/g, '<request>')
      .replaceAll(/127\.0\.0\.1:\d+/g, '<address>')
      .replaceAll(/(?<=revoked |"keyId":")[0-9A-Za-z]{12}\b/g, '<key>')
      // The column of subjects, where a key stands for an owner who was not proven.
      .replaceAll(/\b[0-9A-Za-z]{12} {14}(?=GET|credential)/g, '<key> ')
      .replaceAll(/^(?:records|signed) .*$/gm, (line) => line.replaceAll(/\b\d+\b/g, '<n>'))
      .replaceAll(/\n{2,}/g, '\n')
  )
}
