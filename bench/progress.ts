// What the bench is at, on one line that is written over; nothing where nobody looks.

/** Replaces the line; an empty text clears it. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`)
}

/** Says something that must not be overlooked: a row that is missing, and why. */
export function sayLoudly(text: string): void {
  progress('')
  console.error(`!! ${text.replaceAll('\n', '\n   ')}`)
}
