/** What node:http's parser refuses by itself, in our words. */
import type { Reason } from '../../engine/errors.ts'
import { refuse, type Refusal } from '../../engine/outcome.ts'

export interface ParseError extends Error {
  readonly code?: string
  /** Bytes of the packet that were taken before the fault. */
  readonly bytesParsed?: number
  readonly rawPacket?: Buffer
}

const reasonsByCode: Readonly<Record<string, Reason>> = {
  HPE_INVALID_METHOD: 'method_invalid',
  HPE_INVALID_URL: 'target_invalid',
  HPE_INVALID_CONTENT_LENGTH: 'framing_ambiguous',
  HPE_UNEXPECTED_CONTENT_LENGTH: 'framing_ambiguous',
  HPE_INVALID_TRANSFER_ENCODING: 'framing_ambiguous',
}

/** @returns whether the connection itself failed, so that nobody is there to read a refusal */
export function isConnectionLost(error: ParseError): boolean {
  return error.code === undefined || !error.code.startsWith('HPE_')
}

export function refusalOfParseError(error: ParseError): Refusal {
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return refuse(isInTarget(error) ? 'uri_too_long' : 'headers_too_large')
  return refuse(reasonsByCode[error.code ?? ''] ?? 'malformed_head', { detail: error.message })
}

/**
 * Far beyond our own limit the parser gives up without saying where it was, and only the last packet is at hand. No white space
 * in it since the last empty line means that the request line has not ended, or that one field goes on for several packets.
 */
function isInTarget({ rawPacket, bytesParsed }: ParseError): boolean {
  if (rawPacket === undefined) return false
  const taken = rawPacket.subarray(0, bytesParsed).toString('latin1')
  const headStart = taken.lastIndexOf('\r\n\r\n')
  const line = headStart === -1 ? taken : taken.slice(headStart + 4)
  // A request line may have its method, and the space behind it, in this packet.
  return !/\s/.test(line.replace(/^[A-Z-]{1,20} /, ''))
}
