/** A file that only grows, whose length is known: what could not be written whole is taken back. */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'

// Never through a symbolic link: whoever may write in the directory must not choose what the gateway writes to.
const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0)

export class AppendFile {
  readonly path: string
  readonly #handle: FileHandle
  #size: number
  /** What is beyond `size` may be there and must go before the next write. */
  #hasRemains = false

  private constructor(path: string, handle: FileHandle, size: number) {
    this.path = path
    this.#handle = handle
    this.#size = size
  }

  /**
   * Makes a file that must not be there yet (mode 0600). An empty one, left by an attempt that failed, is taken.
   * @throws Error `EEXIST` rather than touch what another file of this name holds
   */
  static async create(path: string): Promise<AppendFile> {
    const file = await AppendFile.open(path)
    if (file.size === 0) return file
    await file.close()
    throw Object.assign(new Error(`${path} is there already, and not empty`), { code: 'EEXIST' })
  }

  /** Opens, or makes (mode 0600), and takes `size` (default: all) as its good length. */
  static async open(path: string, size?: number): Promise<AppendFile> {
    const handle = await open(path, flags, 0o600)
    try {
      const found = (await handle.stat()).size
      const file = new AppendFile(path, handle, Math.min(size ?? found, found))
      file.#hasRemains = file.#size < found
      await file.#clearRemains()
      if (found === 0) await syncDirectory(dirname(path))
      return file
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  get size(): number {
    return this.#size
  }

  /** All of it, or an error and none of it. */
  async append(bytes: Buffer): Promise<void> {
    await this.#clearRemains()
    this.#hasRemains = true
    try {
      // A disk that fills takes a part first, and refuses the next call.
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#size + done)
        done += bytesWritten
      }
      this.#hasRemains = false
      this.#size += bytes.length
    } catch (error) {
      await this.#clearRemains().catch(() => {})
      throw error
    }
  }

  /** Takes back everything beyond `size`. */
  async rollback(size: number): Promise<void> {
    this.#size = size
    this.#hasRemains = true
    await this.#clearRemains()
  }

  /** On disk when it resolves. */
  async sync(): Promise<void> {
    await this.#handle.datasync()
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  async #clearRemains(): Promise<void> {
    if (!this.#hasRemains) return
    await this.#handle.truncate(this.#size)
    this.#hasRemains = false
  }
}

/** Makes names of files durable, where the system can. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
