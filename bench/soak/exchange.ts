// One request and its answer, over kept connections.
import { Agent, request } from 'node:http'

/** What is sent, and when the answer is enough. */
export interface Exchange {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Breaks the connection after so many milliseconds, as callers do who lose patience. */
  readonly abortAfter?: number
  /** Breaks the connection once so many bytes have come, as listeners of a stream do. */
  readonly enough?: number
}

/** What came back; `aborted` if we broke off before a head arrived. */
export interface Answer {
  readonly status: number | 'aborted'
  readonly body: string
  readonly size: number
}

/** Sends requests to one gateway. */
export interface Client {
  send(exchange: Exchange): Promise<Answer>
  close(): void
}

const answerTimeout = 15_000

/** Keeps at most so many connections. */
export function createClient(url: string, connections: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  return {
    send: (exchange) => send(url, agent, exchange),
    close: () => agent.destroy(),
  }
}

function send(url: string, agent: Agent, exchange: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let isOurs = false
    const outgoing = request(url + exchange.path, {
      agent,
      method: exchange.body === undefined ? 'GET' : 'POST',
      headers: exchange.headers ?? {},
    })
    const breakOff = (): void => {
      isOurs = true
      outgoing.destroy()
    }
    const impatience =
      exchange.abortAfter === undefined ? undefined : setTimeout(breakOff, exchange.abortAfter)
    const deadline = setTimeout(() => outgoing.destroy(new Error('no answer in time')), answerTimeout)
    const settle = (answer: Answer | Error): void => {
      clearTimeout(impatience)
      clearTimeout(deadline)
      if (answer instanceof Error) reject(answer)
      else resolve(answer)
    }
    outgoing.once('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      const answer = (): Answer => ({
        status: response.statusCode ?? 0,
        // Only small answers are looked into; the large one is counted.
        body: size > 4096 ? '' : Buffer.concat(chunks).toString('utf8'),
        size,
      })
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= 4096) chunks.push(chunk)
        if (exchange.enough === undefined || size < exchange.enough) return
        breakOff()
        settle(answer())
      })
      response.once('end', () => settle(answer()))
      response.once('error', (error) => (isOurs ? settle(answer()) : settle(error)))
    })
    outgoing.once('error', (error) => settle(isOurs ? { status: 'aborted', body: '', size: 0 } : error))
    outgoing.end(exchange.body)
  })
}
