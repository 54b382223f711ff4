/** The gateway as a process of its own, started by its command line: for what only a process can show (signals, crashes). */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const bin = join(import.meta.dirname, '..', '..', 'bin', 'portcullis.js')

export interface GatewayProcess extends AsyncDisposable {
  readonly url: string
  readonly admin: string
  readonly folder: string
  readonly file: string
  readonly child: ChildProcess
  /** Standard error so far: the log. */
  readonly log: () => string
  /** Sends the signal and waits for the end. @returns the exit code, or the signal's name */
  end(signal: NodeJS.Signals): Promise<number | string>
}

/**
 * Starts on free ports and waits until it is ready. A configuration that is a program (`name` ends in .ts) says its ports itself.
 *
 * @param listener more members of the listener, as YAML
 */
export async function startGatewayProcess(
  text: string,
  env: NodeJS.ProcessEnv = {},
  name = 'portcullis.yaml',
  listener = '',
): Promise<GatewayProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-process-'))
  const file = join(folder, name)
  const ports = `listeners: [{ address: "127.0.0.1:0", ${listener} }]\nadmin: { address: "127.0.0.1:0" }\n`
  await writeFile(file, name.endsWith('.ts') ? text : `${text.trimEnd()}\n${ports}`)
  const child = spawn(process.execPath, [bin, 'start', '--config', file, '--json'], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const ended = new Promise<number | string>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal ?? '')),
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const first = await lines.next()
  if (first.done === true) throw new Error(`the gateway ended at once: ${log}`)
  const facts = JSON.parse(first.value) as { listeners: string[]; admin: string }
  const end = async (signal: NodeJS.Signals): Promise<number | string> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return ended
  }
  return {
    url: facts.listeners[0]!,
    admin: facts.admin,
    folder,
    file,
    child,
    log: () => log,
    end,
    [Symbol.asyncDispose]: async () => {
      await end('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Runs one command to its end. */
export async function runCommand(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly input?: string } = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.end(options.input ?? '')
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', (exit) => resolve(exit)))
  return { code, stdout, stderr }
}
