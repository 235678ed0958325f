/**
 * What rivals for one store wrote down, line by line, in one file that all of them append to: the kernel
 * keeps the lines whole and in their order. From it alone it is told whether two ever acted at once.
 */

// ------------------------------------------------------------------------------------------ model

/** One line. `rev` is that of the one session all rivals commit to. */
export type Note =
  /** It owns the store and has read it. */
  | { readonly _tag: 'acquired'; readonly slot: number; readonly pid: number; readonly rev: number }
  /** The store acknowledged a commit. */
  | { readonly _tag: 'committed'; readonly pid: number; readonly rev: number }
  /** It is about to give the store up. */
  | { readonly _tag: 'releasing'; readonly pid: number }
  /** It wrote to its old segment after another had taken over. */
  | { readonly _tag: 'stale'; readonly pid: number }
  /** It saw something that must not be. */
  | { readonly _tag: 'wrong'; readonly pid: number; readonly what: string }

export interface OwnershipStory {
  readonly acquired: number
  /** How often an owner that had not released was followed by another. */
  readonly deaths: number
  readonly stale: number
  /** What must not be. */
  readonly wrong: readonly string[]
}

// ----------------------------------------------------------------------------------- constructors

export const noteLine = (note: Note): string => `${JSON.stringify(note)}\n`

/** The whole lines of `text`. */
export const notesIn = (text: string): readonly Note[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Note)

// ------------------------------------------------------------------------------------ combinators

/** Tells the story, and what is wrong with it. */
export const storyOf = (notes: readonly Note[]): OwnershipStory => {
  const wrong: string[] = []
  const gone = new Set<number>()
  let owner: number | undefined
  let [acquired, deaths, stale, rev] = [0, 0, 0, 0]
  const mustOwn = (pid: number, what: string) => {
    if (gone.has(pid)) wrong.push(`${what} by ${pid} after another had taken over`)
    else if (owner !== pid) wrong.push(`${what} by ${pid}, which does not own the store`)
  }
  for (const note of notes) {
    switch (note._tag) {
      case 'acquired': {
        acquired += 1
        if (owner !== undefined) {
          deaths += 1
          gone.add(owner)
        }
        // Of a commit that was under way when its owner died nobody was told.
        const most = rev + (owner === undefined ? 0 : 1)
        if (note.rev < rev || note.rev > most) {
          wrong.push(`${note.pid} found revision ${note.rev}, ${rev} had been acknowledged`)
        }
        gone.delete(note.pid)
        owner = note.pid
        rev = note.rev
        break
      }
      case 'committed': {
        mustOwn(note.pid, `revision ${note.rev} acknowledged`)
        if (note.rev !== rev + 1) wrong.push(`revision ${note.rev} acknowledged after ${rev}`)
        rev = note.rev
        break
      }
      case 'releasing': {
        mustOwn(note.pid, 'released')
        if (owner === note.pid) owner = undefined
        break
      }
      case 'stale': {
        stale += 1
        break
      }
      default:
        wrong.push(`${note.pid}: ${note.what}`)
    }
  }
  return { acquired, deaths, stale, wrong }
}

/** The process that owns the store as far as the notes tell. */
export const ownerIn = (notes: readonly Note[], before: number | undefined): number | undefined =>
  notes.reduce<number | undefined>((owner, note) => {
    if (note._tag === 'acquired') return note.pid
    return note._tag === 'releasing' && owner === note.pid ? undefined : owner
  }, before)
