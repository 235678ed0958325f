/**
 * A disk in memory that forgets, when its power is cut, what was not flushed: of a file its content up to
 * the last flush, with any part of what was written since, pages missing; of names all that was changed
 * up to the last flush of their directory, and any number of the changes after it, in their order.
 */
import { dirname } from 'node:path'
import type { Disk, DiskFile, FileStatus } from '../src/index.js'
import { systemError } from './disk-probe.js'

/** A number from 0 (included) to 1 (excluded). */
export type Random = () => number

interface FileNode {
  readonly kind: 'file'
  readonly inode: bigint
  data: Buffer
  durable: Buffer
  mode: number
}

interface DirectoryNode {
  readonly kind: 'directory'
  readonly inode: bigint
  readonly names: Map<string, Node>
  readonly durableNames: Map<string, Node>
  mode: number
}

type Node = FileNode | DirectoryNode

/** A change of names that the medium does not have yet. */
interface Change {
  readonly in: ReadonlySet<DirectoryNode>
  readonly apply: () => void
}

let inodes = BigInt(process.pid) << 32n

const directoryNode = (): DirectoryNode => {
  inodes += 1n
  return {
    kind: 'directory',
    inode: inodes,
    names: new Map(),
    durableNames: new Map(),
    mode: 0o700,
  }
}

const fileNode = (data: Buffer): FileNode => {
  inodes += 1n
  return { kind: 'file', inode: inodes, data, durable: data, mode: 0o600 }
}

export interface MemoryDisk extends Disk {
  /** The disk as it may come up after its power was cut now. */
  readonly cut: (random: Random) => MemoryDisk
  /** A copy, as if everything had been flushed. */
  readonly copy: () => MemoryDisk
  /** The content of every file. */
  readonly files: () => ReadonlyMap<string, Buffer>
  readonly put: (path: string, data: Buffer) => void
}

export const memoryDisk = (root: DirectoryNode = directoryNode()): MemoryDisk => {
  let changes: Change[] = []

  const find = (path: string): Node | undefined =>
    path
      .split('/')
      .filter((part) => part !== '')
      .reduce<Node | undefined>(
        (node, part) => (node?.kind === 'directory' ? node.names.get(part) : undefined),
        root,
      )
  const found = (path: string): Node => {
    const node = find(path)
    if (node === undefined) throw systemError('ENOENT')
    return node
  }
  const directory = (path: string): DirectoryNode => {
    const node = found(path)
    if (node.kind !== 'directory') throw systemError('ENOTDIR')
    return node
  }
  const file = (path: string): FileNode => {
    const node = found(path)
    if (node.kind !== 'file') throw systemError('EISDIR')
    return node
  }
  const nameIn = (path: string) => path.slice(path.lastIndexOf('/') + 1)

  const change = (directories: readonly DirectoryNode[], apply: (durable: boolean) => void) => {
    apply(false)
    changes.push({ in: new Set(directories), apply: () => apply(true) })
  }
  const namesOf = (node: DirectoryNode, durable: boolean) =>
    durable ? node.durableNames : node.names

  const opened = (node: FileNode): DiskFile => ({
    read: async (position, bytes) => Buffer.from(node.data.subarray(position, position + bytes)),
    write: async (bytes, position) => {
      if (position !== node.data.length) throw systemError('EINVAL')
      node.data = Buffer.concat([node.data, bytes])
      return bytes.length
    },
    sync: async () => {
      node.durable = node.data
    },
    close: async () => undefined,
  })

  const add = (path: string, node: Node) => {
    const parent = directory(dirname(path))
    change([parent], (durable) => namesOf(parent, durable).set(nameIn(path), node))
  }

  const disk: MemoryDisk = {
    status: async (path): Promise<FileStatus | undefined> => {
      const node = find(path)
      if (node === undefined) return undefined
      return {
        kind: node.kind,
        sizeBytes: node.kind === 'file' ? node.data.length : 0,
        mode: node.mode,
        userId: process.geteuid?.() ?? 0,
        links: 1,
        device: 0n,
        inode: node.inode,
      }
    },
    makeDirectory: async (path) => {
      let topmost: string | undefined
      const parts = path.split('/').filter((part) => part !== '')
      for (let depth = 1; depth <= parts.length; depth++) {
        const here = `/${parts.slice(0, depth).join('/')}`
        if (find(here) !== undefined) continue
        add(here, directoryNode())
        topmost ??= here
      }
      return topmost
    },
    setMode: async (path, mode) => {
      found(path).mode = mode
    },
    list: async (path) => [...directory(path).names.keys()],
    create: async (path) => {
      if (find(path) !== undefined) throw systemError('EEXIST')
      const node = fileNode(Buffer.alloc(0))
      add(path, node)
      return opened(node)
    },
    open: async (path) => opened(file(path)),
    rename: async (from, to) => {
      const [source, target, node] = [directory(dirname(from)), directory(dirname(to)), found(from)]
      change([source, target], (durable) => {
        namesOf(source, durable).delete(nameIn(from))
        namesOf(target, durable).set(nameIn(to), node)
      })
    },
    remove: async (path) => {
      const parent = directory(dirname(path))
      file(path)
      change([parent], (durable) => namesOf(parent, durable).delete(nameIn(path)))
    },
    syncDirectory: async (path) => {
      const node = directory(path)
      const flushed = flushedWith(node, changes)
      for (const one of changes) if (flushed.has(one)) one.apply()
      changes = changes.filter((one) => !flushed.has(one))
    },
    filesystemType: async () => 0xef53,
    cut: (random) => {
      const survived = Math.floor(random() * (changes.length + 1))
      for (const one of changes.splice(0, survived)) one.apply()
      changes = []
      return memoryDisk(afterCut(root, random))
    },
    copy: () => memoryDisk(copied(root)),
    files: () => new Map(filesIn(root, '')),
    put: (path, data) => {
      directory(dirname(path)).names.set(nameIn(path), fileNode(data))
    },
  }
  return disk
}

// The changes in a directory, and those before them in the directories they share a move with.
const flushedWith = (node: DirectoryNode, changes: readonly Change[]): ReadonlySet<Change> => {
  const directories = new Set([node])
  const flushed = new Set<Change>()
  for (const change of changes.toReversed()) {
    if (![...change.in].some((one) => directories.has(one))) continue
    flushed.add(change)
    for (const one of change.in) directories.add(one)
  }
  return flushed
}

const filesIn = (node: DirectoryNode, path: string): [string, Buffer][] =>
  [...node.names].flatMap(([name, inner]): [string, Buffer][] =>
    inner.kind === 'file' ? [[`${path}/${name}`, inner.data]] : filesIn(inner, `${path}/${name}`),
  )

const copied = (node: DirectoryNode): DirectoryNode => {
  const copy = directoryNode()
  for (const [name, inner] of node.names) {
    const made = inner.kind === 'file' ? fileNode(inner.data) : copied(inner)
    copy.names.set(name, made)
    copy.durableNames.set(name, made)
  }
  return copy
}

const pageBytes = 256

const afterCut = (node: DirectoryNode, random: Random): DirectoryNode => {
  const cut = directoryNode()
  for (const [name, inner] of node.durableNames) {
    const made =
      inner.kind === 'file' ? fileNode(contentAfterCut(inner, random)) : afterCut(inner, random)
    cut.names.set(name, made)
    cut.durableNames.set(name, made)
  }
  return cut
}

const contentAfterCut = ({ data, durable }: FileNode, random: Random): Buffer => {
  const grown = Math.floor(random() * (data.length - durable.length + 1))
  const content = Buffer.from(data.subarray(0, durable.length + grown))
  for (let page = durable.length; page < content.length; page += pageBytes) {
    if (random() < 0.2) content.fill(0, page, Math.min(page + pageBytes, content.length))
  }
  return content
}
