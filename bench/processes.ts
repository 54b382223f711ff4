// The processes that the bench starts, each in a group of its own, so that all of them, and only they, are ended.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { searchPath } from './requirements.ts'

/** A program that runs. */
export interface Running {
  readonly name: string
  readonly pid: number
  /** The end of what it printed. */
  output(): string
  /** Says something to its standard input. */
  write(text: string): void
  /** Settles when it has ended. */
  readonly ended: Promise<number | undefined>
  /** Ends it: politely, after `grace` milliseconds not. */
  stop(grace?: number): Promise<number | undefined>
}

/** How to start a program. */
export interface Start {
  readonly name: string
  readonly command: readonly [program: string, ...args: string[]]
  /** The only core that it may use. */
  readonly core?: number
  readonly folder?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Whether `write` is for it; without, there is no standard input. */
  readonly hasInput?: boolean
}

/** Starts programs and remembers them. */
export interface Processes {
  start(start: Start): Running
  stopAll(): Promise<void>
  /** Ends everything at once, where there is no time to wait. */
  killAll(): void
}

/** Makes an empty set of processes. */
export function createProcesses(): Processes {
  const running = new Set<Running>()
  return {
    start(start) {
      const process = run(start)
      running.add(process)
      void process.ended.then(() => running.delete(process))
      return process
    },
    async stopAll() {
      await Promise.all([...running].map((process) => process.stop()))
    },
    killAll() {
      for (const process of running) signalGroup(process.pid, 'SIGKILL')
    },
  }
}

/**
 * Waits until something accepts connections on a loopback port.
 *
 * @throws {Error} with the program's output, if it ends or does not listen in time
 */
export async function waitForPort(process: Running, port: number, timeout = 15_000): Promise<void> {
  const state = { hasEnded: false }
  void process.ended.then(() => (state.hasEnded = true))
  const deadline = Date.now() + timeout
  while (!(await accepts(port))) {
    if (state.hasEnded) throw new Error(`${process.name} did not start:\n${indent(process.output())}`)
    if (Date.now() > deadline) {
      throw new Error(`${process.name} did not listen within ${timeout} ms:\n${indent(process.output())}`)
    }
    await pause(50)
  }
}

/** A loopback port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

export function indent(text: string): string {
  return text.trim() === '' ? '  (it printed nothing)' : text.trimEnd().replaceAll(/^/gm, '  ')
}

const keptOutput = 8192

function run({ name, command, core, folder, environment, hasInput = false }: Start): Running {
  const [program, ...args] = core === undefined ? command : ['taskset', '-c', String(core), ...command]
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...searchPath(), ...environment },
    stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    detached: true,
  })
  // It may end before it has read everything.
  child.stdin?.on('error', () => undefined)
  const output = collect(child)
  const ended = new Promise<number | undefined>((resolve) => {
    child.once('close', (code, signal) => {
      output.add(`[ended with ${code ?? signal}]\n`)
      resolve(code ?? undefined)
    })
    child.once('error', () => resolve(undefined))
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`${name}: ${program} cannot be started`)
  // A process id is given to somebody else once its owner is gone.
  const state = { hasEnded: false }
  void ended.then(() => (state.hasEnded = true))
  return {
    name,
    pid,
    output: output.text,
    write: (text) => child.stdin?.write(text),
    ended,
    async stop(grace = 5000) {
      if (state.hasEnded) return ended
      signalGroup(pid, 'SIGTERM')
      const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), grace)
      const code = await ended
      clearTimeout(timer)
      return code
    },
  }
}

function collect(child: ChildProcess): { readonly text: () => string; readonly add: (more: string) => void } {
  let text = ''
  const add = (more: string): void => {
    text = (text + more).slice(-keptOutput)
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8')
    stream?.on('data', add)
  }
  return { text: () => text, add }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // It has ended already.
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const settle = (result: boolean) => () => {
      socket.destroy()
      resolve(result)
    }
    socket.setTimeout(1000, settle(false))
    socket.once('connect', settle(true))
    socket.once('error', settle(false))
  })
}
