/** What can be wrong with bytes, in words for the operator. Whoever asked decides what becomes of it. */
export const wireFaults = {
  method: 'the method is not one that HTTP knows',
  target: 'a byte that no request target may hold',
  version: 'the version is neither HTTP/1.1 nor HTTP/1.0',
  'request-line': 'the request line does not end with CR LF behind the version',
  'status-line': 'the answer does not begin with a status line',
  'line-end': 'a line does not end with CR LF',
  folding: 'a field line begins with white space',
  'field-name': 'a field name is empty, or holds a byte that none may hold',
  'field-value': 'a field value holds a control character',
  'target-size': 'the request target is larger than a head may be',
  'head-size': 'the head is larger than it may be',
  'field-count': 'too many field lines',
  'chunk-size': 'a chunk size is not one to eight hexadecimal digits',
  'chunk-extension': 'a chunk extension is malformed, or too long',
  'chunk-end': 'a chunk is not followed by CR LF',
  'trailer-field': 'a trailer field that frames or routes',
  'trailer-size': 'the trailer section is larger than it may be',
} as const

export type WireFaultKind = keyof typeof wireFaults

/** How far a parser came with the bytes that it was shown. */
export type Progress = 'more' | 'done' | 'fault'
