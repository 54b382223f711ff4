/** llhttp, strict, in the build that undici carries: the parser of Node.js, read without any of Node.js around it. */
import { createRequire } from 'node:module'
import type { Input, Message, Reading } from './reading.ts'

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  _initialize(): void
  llhttp_alloc(type: number): number
  llhttp_free(parser: number): void
  malloc(size: number): number
  llhttp_execute(parser: number, at: number, length: number): number
  llhttp_finish(parser: number): number
  llhttp_resume(parser: number): void
  llhttp_resume_after_upgrade(parser: number): void
  llhttp_get_error_pos(parser: number): number
  llhttp_get_error_reason(parser: number): number
  llhttp_errno_name(errno: number): number
  llhttp_should_keep_alive(parser: number): number
  llhttp_get_method(parser: number): number
  llhttp_method_name(method: number): number
  llhttp_get_http_major(parser: number): number
  llhttp_get_http_minor(parser: number): number
}

/** What is used of WebAssembly, whose types come with those of browsers. */
interface Assembly {
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: object }
}

const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: Assembly }).WebAssembly

const types = { request: 1, response: 2 } as const
const paused = 21
const pausedForUpgrade = 22
/** The body is not there, whatever the head says: the answer to HEAD. */
const skipBody = 1

const load = createRequire(import.meta.url)
/** Of undici's own parts; there is no public way to it, and none is needed outside tests. */
const code = load('undici/lib/llhttp/llhttp-wasm.js') as Buffer
let current: Run | undefined
const wasm = instantiate()
const largest = 256 * 1024
const buffer = wasm.malloc(largest)

/** @param cuts where the bytes are cut into pieces, ascending */
export function readWithLlhttp(input: Input, cuts: readonly number[] = []): Reading {
  const run = new Run(input)
  current = run
  try {
    return run.read(cuts)
  } finally {
    current = undefined
    run.free()
  }
}

/** One stream of bytes. */
class Run {
  readonly #input: Input
  readonly #parser: number
  readonly #reading: Reading = { messages: [], open: undefined, state: 'idle', why: '' }
  // Of the message that is being read.
  #target = ''
  #fields: string[] = []
  #name = ''
  #value = ''
  #isValue = false
  #isHeadOver = false
  #isStarted = false

  constructor(input: Input) {
    this.#input = input
    this.#parser = wasm.llhttp_alloc(types[input.side])
  }

  free(): void {
    wasm.llhttp_free(this.#parser)
  }

  read(cuts: readonly number[]): Reading {
    const { bytes, isEnded } = this.#input
    let from = 0
    for (const to of [...cuts, bytes.length]) {
      this.#feed(bytes.slice(from, to), from)
      if (this.#isOver()) return this.#reading
      from = to
    }
    if (isEnded) this.#finish()
    else if (this.#isStarted) this.#reading.state = 'partial'
    return this.#reading
  }

  #isOver(): boolean {
    return this.#reading.state === 'refused' || this.#reading.state === 'over'
  }

  #feed(piece: string, offset: number): void {
    if (piece.length > largest) throw new Error('the input is too large')
    Buffer.from(wasm.memory.buffer, buffer, largest).write(piece, 'latin1')
    let at = 0
    while (at < piece.length) {
      const errno = wasm.llhttp_execute(this.#parser, buffer + at, piece.length - at)
      if (errno === 0) return
      at = wasm.llhttp_get_error_pos(this.#parser) - buffer
      if (errno === paused) {
        wasm.llhttp_resume(this.#parser)
        this.#complete(offset + at)
        if (this.#isOver()) return
      } else if (errno === pausedForUpgrade) wasm.llhttp_resume_after_upgrade(this.#parser)
      else {
        this.#refuse(errno)
        return
      }
    }
  }

  #finish(): void {
    const errno = wasm.llhttp_finish(this.#parser)
    if (errno === paused) this.#complete(this.#input.bytes.length)
    else if (errno !== 0) this.#refuse(errno)
    else if (this.#isStarted) this.#reading.state = 'partial'
  }

  #refuse(errno: number): void {
    const reading = this.#reading
    reading.why = textAt(wasm.llhttp_errno_name(errno)) || String(errno)
    reading.state = reading.why === 'HPE_CLOSED_CONNECTION' ? 'over' : 'refused'
  }

  // What llhttp calls.

  begin(): void {
    this.#isStarted = true
    this.#target = ''
    this.#fields = []
    this.#name = ''
    this.#value = ''
    this.#isValue = false
    this.#isHeadOver = false
  }

  target(text: string): void {
    this.#target += text
  }

  name(text: string): void {
    if (this.#isHeadOver) return
    if (this.#isValue) this.#endField()
    this.#name += text
  }

  value(text: string): void {
    if (this.#isHeadOver) return
    this.#isValue = true
    this.#value += text
  }

  headersComplete(status: number, persists: boolean): number {
    if (this.#isValue || this.#name !== '') this.#endField()
    this.#isHeadOver = true
    const { side, method } = this.#input
    const major = wasm.llhttp_get_http_major(this.#parser)
    const minor = wasm.llhttp_get_http_minor(this.#parser)
    this.#reading.open = {
      method: side === 'request' ? textAt(wasm.llhttp_method_name(wasm.llhttp_get_method(this.#parser))) : '',
      target: this.#target,
      status: side === 'request' ? 0 : status,
      version: `${major}.${minor}`,
      fields: this.#fields,
      body: '',
      end: -1,
      persists,
    }
    return side === 'response' && method === 'HEAD' ? skipBody : 0
  }

  body(text: string): void {
    this.#reading.open!.body += text
  }

  #endField(): void {
    this.#fields.push(this.#name, this.#value.replace(/[\t ]+$/, ''))
    this.#name = ''
    this.#value = ''
    this.#isValue = false
  }

  #complete(end: number): void {
    const reading = this.#reading
    // Only now it knows that the answer to HEAD has no body that the connection would have to end.
    const persists = wasm.llhttp_should_keep_alive(this.#parser) === 1
    const message: Message = { ...reading.open!, end, persists }
    reading.open = undefined
    this.#isStarted = false
    reading.messages.push(message)
    // A connection has one final answer for each request, and nothing is asked here again.
    if (this.#input.side === 'response' && (message.status >= 200 || message.status === 101))
      reading.state = 'over'
  }
}

function instantiate(): Exports {
  const text = (at: number, length: number): string =>
    Buffer.from(wasm.memory.buffer, at, length).toString('latin1')
  const module = new Module(new Uint8Array(code))
  const instance = new Instance(module, {
    env: {
      wasm_on_message_begin: () => (current!.begin(), 0),
      wasm_on_url: (_parser: number, at: number, length: number) => (current!.target(text(at, length)), 0),
      wasm_on_status: () => 0,
      wasm_on_header_field: (_parser: number, at: number, length: number) => (
        current!.name(text(at, length)),
        0
      ),
      wasm_on_header_value: (_parser: number, at: number, length: number) => (
        current!.value(text(at, length)),
        0
      ),
      wasm_on_headers_complete: (_parser: number, status: number, _upgrade: number, persists: number) =>
        current!.headersComplete(status, persists === 1),
      wasm_on_body: (_parser: number, at: number, length: number) => (current!.body(text(at, length)), 0),
      wasm_on_message_complete: () => paused,
    },
  })
  const exports = instance.exports as Exports
  exports._initialize()
  return exports
}

function textAt(at: number): string {
  if (at === 0) return ''
  const bytes = Buffer.from(wasm.memory.buffer, at, 100)
  return bytes.toString('latin1', 0, bytes.indexOf(0))
}
