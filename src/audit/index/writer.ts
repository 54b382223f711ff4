/** Holds the index thread: wakes it when the log grew, starts it anew when it fails, ends it in order. */
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { OnAlarm } from '../alarm.ts'
import { indexName } from '../format/segments.ts'

export interface IndexWorkerData {
  readonly directory: string
  readonly path: string
}

export type ToIndexWorker = 'wake' | 'close'

/** Milliseconds. */
const delays = { wake: 100, firstRestart: 1000, lastRestart: 60_000, close: 10_000 } as const

export class IndexWriter {
  readonly #data: IndexWorkerData
  readonly #onAlarm: OnAlarm
  #worker: Worker
  #wakeTimer: NodeJS.Timeout | undefined
  #restartTimer: NodeJS.Timeout | undefined
  #restartDelay: number = delays.firstRestart
  /** The thread is reading: it will be woken again when it is done. */
  #isBusy = true
  #isBehind = false
  #isClosing = false

  constructor(directory: string, onAlarm: OnAlarm) {
    this.#data = { directory, path: join(directory, indexName) }
    this.#onAlarm = onAlarm
    this.#worker = this.#start()
  }

  /** Says that the log grew. Cheap: at most ten messages a second reach the thread. */
  wake(): void {
    this.#isBehind = true
    if (this.#isBusy || this.#isClosing) return
    this.#wakeTimer ??= setTimeout(() => this.#send(), delays.wake).unref()
  }

  /** Ends the thread when it has read all there is, or after ten seconds: what is left is read at the next start. */
  async close(): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#wakeTimer)
    clearTimeout(this.#restartTimer)
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const tooLate = setTimeout(() => void this.#worker.terminate(), delays.close)
    this.#worker.once('exit', () => resolve())
    this.#worker.ref()
    this.#worker.postMessage('close' satisfies ToIndexWorker, [])
    if (this.#worker.threadId === -1) resolve()
    await ended
    clearTimeout(tooLate)
  }

  #start(): Worker {
    const url = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url)
    const worker = new Worker(url, { workerData: this.#data, name: 'audit-index' })
    worker.unref()
    worker.on('message', () => {
      this.#isBusy = false
      this.#restartDelay = delays.firstRestart
      if (this.#isBehind) this.wake()
    })
    worker.on('error', (error: Error) => {
      this.#onAlarm('index_failed', error.message)
      if (!this.#isClosing) this.#restartLater()
    })
    return worker
  }

  #send(): void {
    this.#wakeTimer = undefined
    this.#isBehind = false
    this.#isBusy = true
    this.#worker.postMessage('wake' satisfies ToIndexWorker, [])
  }

  #restartLater(): void {
    this.#isBusy = true
    this.#restartTimer = setTimeout(() => (this.#worker = this.#start()), this.#restartDelay).unref()
    this.#restartDelay = Math.min(this.#restartDelay * 2, delays.lastRestart)
  }
}
