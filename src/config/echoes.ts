/** One mistake, one fault: complaints that only follow from another one are left out. */
import type { Complaint } from './fault.ts'
import { missing, unknownKey } from './issues.ts'
import { formatPath, isWithin, touches, type Path } from './path.ts'
import { notAvailable } from './availability.ts'
import type { Resolution } from './references.ts'

export interface Complaints {
  /** Of references, the schema and what is not available. */
  readonly ofShape: readonly Complaint[]
  /** Of how the parts fit together. */
  readonly ofSense: readonly Complaint[]
}

export function withoutEchoes({ ofShape, ofSense }: Complaints, resolution: Resolution): Complaint[] {
  const standIns = [...resolution.standIns.values()]
  const unresolved = [...standIns.map(({ path }) => path), ...resolution.complaints.map(({ path }) => path)]
  // A text that could not be resolved is not judged; a stand-in that nothing fits is a missing reference after all.
  const isJudged = (complaint: Complaint): boolean =>
    resolution.complaints.includes(complaint) || !unresolved.some((path) => isWithin(complaint.path, path))
  const unfit = standIns.filter(
    ({ path, complaint }) =>
      !resolution.complaints.includes(complaint) &&
      [...ofShape, ...ofSense].some((each) => isWithin(each.path, path)),
  )
  const later = ofShape.filter(({ message }) => message === notAvailable)
  const misspelt = ofShape
    .filter((complaint) => !later.includes(complaint))
    .map(({ path }) => formatPath(path))
  const shape = ofShape.filter(
    (complaint) =>
      isJudged(complaint) &&
      (later.includes(complaint)
        ? !misspelt.includes(formatPath(complaint.path))
        : !followsFromLater(complaint, later)),
  )
  const broken = shape.flatMap(meantPaths)
  const sense = ofSense.filter(
    (complaint) => isJudged(complaint) && !broken.some((path) => touches(path, complaint.path)),
  )
  return [...shape, ...sense, ...unfit.map(({ complaint }) => complaint)]
}

/** What was left out while the file was read is not missed a second time, nor is what a merge key was to bring. */
export function followsFrom(early: readonly Complaint[], complaint: Complaint): boolean {
  return early.some(
    ({ path }) =>
      touches(path, complaint.path) ||
      (path.at(-1) === '<<' && complaint.message === missing && isWithin(complaint.path, path.slice(0, -1))),
  )
}

/** What is wrong inside a part of a later version, or missing from it, does not matter yet. */
function followsFromLater(complaint: Complaint, later: readonly Complaint[]): boolean {
  return later.some(({ path }) => {
    if (isWithin(complaint.path, path)) return complaint.path.length > path.length
    return (
      complaint.message === missing && path.at(-1) === 'type' && isWithin(complaint.path, path.slice(0, -1))
    )
  })
}

/** A mistyped key stands for the one that was meant, too. */
function meantPaths({ path, message, suggestion }: Complaint): readonly Path[] {
  return message === unknownKey && suggestion !== undefined
    ? [path, [...path.slice(0, -1), ...suggestion.split('.')]]
    : [path]
}
