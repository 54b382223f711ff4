// Server-sent events: what is playing now, once a second, for as long as the other side listens.
import type { ServerResponse } from 'node:http'
import type { Caller } from './caller.ts'
import type { Shelf } from './shelf.ts'

/**
 * Answers with an event `caller` and then events `tick`, numbered from 1.
 *
 * @see WHATWG HTML section 9.2
 */
export function streamTicks(response: ServerResponse, caller: Caller, shelf: Shelf, tickEvery: number): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  response.write(event('caller', 0, caller))
  let count = 0
  const tick = (): void => {
    // A listener that does not read gets no backlog: its ticks are dropped, not kept.
    if (response.writableNeedDrain) return
    count += 1
    const items = shelf.list()
    response.write(event('tick', count, { tick: count, playing: items[count % items.length]?.title }))
  }
  tick()
  const timer = setInterval(tick, tickEvery)
  response.once('close', () => clearInterval(timer))
}

function event(name: string, id: number, data: object): string {
  return `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`
}
