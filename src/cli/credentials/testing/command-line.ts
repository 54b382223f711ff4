import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { Command, CommanderError } from 'commander'
import { registerKeys } from '../../commands/keys.ts'
import { registerRevoke } from '../../commands/revoke.ts'
import { CommandError, type CliContext } from '../../context.ts'

export interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly stdin?: string
  readonly isTTY?: boolean
  readonly env?: NodeJS.ProcessEnv
}

/** A folder with a configuration, and the key commands run in it as the program runs them. */
export class CommandLine {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'portcullis-cli-'))

  /** @param authenticators YAML lines */
  configure(authenticators: readonly string[], admin = ''): void {
    const lines = [
      'version: 1',
      'store: { url: "sqlite:./store.db" }',
      admin,
      'providers:',
      '  corp: { type: oidc, issuer: https://login.example.com }',
      'authenticators:',
      ...authenticators.map((line) => `  ${line}`),
      'upstreams:',
      '  items: { targets: [http://127.0.0.1:3000] }',
      'routes:',
      '  - id: items-read',
      '    match: { path: /items/* }',
      '    authenticate: [keys]',
      '    upstream: items',
    ]
    writeFileSync(join(this.folder, 'portcullis.yaml'), `${lines.filter((line) => line !== '').join('\n')}\n`)
  }

  write(name: string, content: string): void {
    writeFileSync(join(this.folder, name), content)
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const [stdout, stderr] = [new Collector(options.isTTY), new Collector()]
    const context: CliContext = {
      env: options.env ?? {},
      cwd: this.folder,
      stdin: Readable.from([options.stdin ?? '']),
      stdout,
      stderr,
    }
    const program = new Command().option('--config <file>').exitOverride()
    program.configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    })
    registerKeys(program, context)
    registerRevoke(program, context)
    for (const each of program.commands.flatMap((command) => [command, ...command.commands])) {
      each.exitOverride().copyInheritedSettings(program)
    }
    const code = await exitCodeOf(program.parseAsync([...args], { from: 'user' }), stderr)
    return { code, out: stdout.text, err: stderr.text }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function exitCodeOf(work: Promise<unknown>, stderr: Collector): Promise<number> {
  try {
    await work
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof CommandError)) throw error
    stderr.write(`${error.message}\n`)
    return error.exitCode
  }
}

class Collector extends Writable {
  text = ''
  readonly isTTY: boolean

  constructor(isTTY = false) {
    super()
    this.isTTY = isTTY
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}
