/** Upstreams: members that go together, and members that exclude each other. */
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import type { ParsedUpstream } from '../schema/upstreams.ts'
import type { Check } from './check.ts'

export const checkUpstreams: Check = function* (context) {
  for (const [name, upstream] of Object.entries(context.configuration.upstreams)) {
    const path: Path = ['upstreams', name]
    yield* checkTargets(upstream, path)
    yield* checkProtocol(upstream, path)
    yield* checkBalance(upstream, path)
    yield* checkTls(upstream, path)
  }
}

function* checkTargets({ targets }: ParsedUpstream, path: Path): Generator<Complaint> {
  for (const [index, { url }] of targets.entries()) {
    if (targets.findIndex((other) => other.url === url) === index) continue
    yield {
      path: [...path, 'targets', index],
      message: 'this target is listed already',
      expected: 'each one once; { url: …, weight: 2 } gives it a larger share',
    }
  }
}

/** HTTP/2 is agreed on within TLS, or known beforehand without it: nothing else would find out. */
function* checkProtocol({ protocol, targets }: ParsedUpstream, path: Path): Generator<Complaint> {
  if (protocol === 'http1') return
  const scheme = protocol === 'h2' ? 'https' : 'http'
  for (const [index, { url }] of targets.entries()) {
    if (url.startsWith(`${scheme}://`)) continue
    yield {
      path: [...path, 'targets', index],
      message: `\`protocol: ${protocol}\` does not go with this target`,
      expected:
        protocol === 'h2' ? 'an https:// target, or `protocol: h2c`' : 'an http:// target, or `protocol: h2`',
    }
  }
}

function* checkBalance({ balance, hashOn }: ParsedUpstream, path: Path): Generator<Complaint> {
  if (balance === 'hash' && hashOn === undefined) {
    yield {
      path: [...path, 'hashOn'],
      message: '`balance: hash` needs to know what to hash',
      expected: 'identity, address or header:NAME',
    }
  }
  if (balance !== 'hash' && hashOn !== undefined) {
    yield {
      path: [...path, 'hashOn'],
      message: '`hashOn` has no effect here',
      expected: '`balance: hash` beside it, or no `hashOn`',
    }
  }
}

function* checkTls({ tls, targets }: ParsedUpstream, path: Path): Generator<Complaint> {
  if (tls === undefined) return
  const plain = targets.findIndex(({ url }) => url.startsWith('http://'))
  if (plain !== -1) {
    yield {
      path: [...path, 'targets', plain],
      message: 'this target is plain HTTP, and the upstream has `tls`',
      expected: 'https:// targets, or no `tls`',
    }
  }
  if ((tls.certificate === undefined) !== (tls.key === undefined)) {
    const absent = tls.key === undefined ? 'key' : 'certificate'
    yield {
      path: [...path, 'tls', absent],
      message: 'a certificate and its key go together',
      expected: `\`${absent}\` as well`,
    }
  }
}
