/**
 * A disk in memory that forgets, when its power is cut, what was not flushed: of a file its content up to
 * the last flush, with any part of what was written since, pages missing or as they were; of names all
 * that was changed up to the last flush of their directory, and any number of the changes after it, in
 * their order.
 */
import { dirname } from 'node:path'
import type { Disk, DiskFile, FileStatus } from '@session-recovery/adapter-fs'
import { systemError } from './disk-probe.js'

// ------------------------------------------------------------------------------------------ model

/** A number from 0 (included) to 1 (excluded). */
export type Random = () => number

interface FileNode {
  readonly kind: 'file'
  readonly inode: bigint
  /** Holds more than the file does, so that it can grow. */
  room: Buffer
  bytes: number
  /** As much of it as was flushed: files never get smaller. */
  durableBytes: number
  /** The pages of that part that were written since, as they were flushed. */
  readonly flushed: Map<number, Buffer>
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

// Two disks of one machine are two places, whoever made them.
let inodes = BigInt(process.pid) << 32n

const nextInode = (): bigint => {
  inodes += 1n
  return inodes
}

const directoryNode = (): DirectoryNode => ({
  kind: 'directory',
  inode: nextInode(),
  names: new Map(),
  durableNames: new Map(),
  mode: 0o700,
})

const fileNode = (content: Buffer): FileNode => ({
  kind: 'file',
  inode: nextInode(),
  room: content,
  bytes: content.length,
  durableBytes: content.length,
  flushed: new Map(),
  mode: 0o600,
})

const contentOf = ({ room, bytes }: FileNode): Buffer => room.subarray(0, bytes)

// ------------------------------------------------------------------------------------------- disk

export class MemoryDisk implements Disk {
  readonly #root: DirectoryNode
  #changes: Change[] = []

  constructor(root: DirectoryNode = directoryNode()) {
    this.#root = root
  }

  readonly status = async (path: string): Promise<FileStatus | undefined> => {
    const node = this.#find(path)
    if (node === undefined) return undefined
    return {
      kind: node.kind,
      sizeBytes: node.kind === 'file' ? node.bytes : 0,
      mode: node.mode,
      userId: process.geteuid?.() ?? 0,
      links: 1,
      device: 0n,
      inode: node.inode,
      // It has no clock: what was made later is later.
      modifiedMs: Number(BigInt.asUintN(32, node.inode)),
    }
  }

  readonly makeDirectory = async (path: string): Promise<string | undefined> => {
    let topmost: string | undefined
    const parts = path.split('/').filter((part) => part !== '')
    for (let depth = 1; depth <= parts.length; depth++) {
      const here = `/${parts.slice(0, depth).join('/')}`
      if (this.#find(here) !== undefined) continue
      this.#add(here, directoryNode())
      topmost ??= here
    }
    return topmost
  }

  readonly setMode = async (path: string, mode: number): Promise<void> => {
    this.#found(path).mode = mode
  }

  readonly list = async (path: string): Promise<readonly string[]> => [
    ...this.#directory(path).names.keys(),
  ]

  readonly create = async (path: string): Promise<DiskFile> => {
    if (this.#find(path) !== undefined) throw systemError('EEXIST')
    const node = fileNode(Buffer.alloc(0))
    this.#add(path, node)
    return opened(node)
  }

  readonly open = async (path: string): Promise<DiskFile> => opened(this.#file(path))

  readonly rename = async (from: string, to: string): Promise<void> => {
    const node = this.#found(from)
    const [source, target] = [this.#directory(dirname(from)), this.#directory(dirname(to))]
    this.#change([source, target], (durable) => {
      namesOf(source, durable).delete(nameIn(from))
      namesOf(target, durable).set(nameIn(to), node)
    })
  }

  readonly remove = async (path: string): Promise<void> => {
    const parent = this.#directory(dirname(path))
    this.#file(path)
    this.#change([parent], (durable) => namesOf(parent, durable).delete(nameIn(path)))
  }

  readonly syncDirectory = async (path: string): Promise<void> => {
    const flushed = flushedWith(this.#directory(path), this.#changes)
    for (const one of this.#changes) if (flushed.has(one)) one.apply()
    this.#changes = this.#changes.filter((one) => !flushed.has(one))
  }

  // That of ext4.
  readonly filesystemType = async (): Promise<number> => 0xef53

  /** The disk as it may come up after its power was cut now. */
  cut(random: Random): MemoryDisk {
    const survived = Math.floor(random() * (this.#changes.length + 1))
    for (const one of this.#changes.splice(0, survived)) one.apply()
    this.#changes = []
    return new MemoryDisk(afterCut(this.#root, random))
  }

  /** A copy, as if everything had been flushed. */
  copy(): MemoryDisk {
    return new MemoryDisk(copied(this.#root))
  }

  /** The content of every file. */
  files(): ReadonlyMap<string, Buffer> {
    return new Map(filesIn(this.#root, ''))
  }

  put(path: string, content: Buffer): void {
    this.#directory(dirname(path)).names.set(nameIn(path), fileNode(content))
  }

  #find(path: string): Node | undefined {
    return path
      .split('/')
      .filter((part) => part !== '')
      .reduce<Node | undefined>(
        (node, part) => (node?.kind === 'directory' ? node.names.get(part) : undefined),
        this.#root,
      )
  }

  #found(path: string): Node {
    const node = this.#find(path)
    if (node === undefined) throw systemError('ENOENT')
    return node
  }

  #directory(path: string): DirectoryNode {
    const node = this.#found(path)
    if (node.kind !== 'directory') throw systemError('ENOTDIR')
    return node
  }

  #file(path: string): FileNode {
    const node = this.#found(path)
    if (node.kind !== 'file') throw systemError('EISDIR')
    return node
  }

  #add(path: string, node: Node): void {
    const parent = this.#directory(dirname(path))
    this.#change([parent], (durable) => namesOf(parent, durable).set(nameIn(path), node))
  }

  #change(directories: readonly DirectoryNode[], apply: (durable: boolean) => void): void {
    apply(false)
    this.#changes.push({ in: new Set(directories), apply: () => apply(true) })
  }
}

/** An empty disk. */
export const memoryDisk = (): MemoryDisk => new MemoryDisk()

// ------------------------------------------------------------------------------------ combinators

const nameIn = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

const namesOf = (node: DirectoryNode, durable: boolean) =>
  durable ? node.durableNames : node.names

const opened = (node: FileNode): DiskFile => ({
  read: async (position, bytes) =>
    Buffer.from(contentOf(node).subarray(position, position + bytes)),
  write: async (bytes, position) => {
    if (position > node.bytes) throw systemError('EINVAL')
    const needed = Math.max(node.bytes, position + bytes.length)
    rememberFlushed(node, position, position + bytes.length)
    if (needed > node.room.length) {
      const room = Buffer.alloc(2 * needed)
      node.room.copy(room, 0, 0, node.bytes)
      node.room = room
    }
    bytes.copy(node.room, position)
    node.bytes = needed
    return bytes.length
  },
  sync: async () => {
    node.durableBytes = node.bytes
    node.flushed.clear()
  },
  close: async () => undefined,
})

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
    inner.kind === 'file'
      ? [[`${path}/${name}`, contentOf(inner)]]
      : filesIn(inner, `${path}/${name}`),
  )

const copied = (node: DirectoryNode): DirectoryNode => {
  const copy = directoryNode()
  for (const [name, inner] of node.names) {
    const made = inner.kind === 'file' ? fileNode(Buffer.from(contentOf(inner))) : copied(inner)
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

const rememberFlushed = ({ room, durableBytes, flushed }: FileNode, from: number, to: number) => {
  const end = Math.min(to, durableBytes)
  for (let page = from - (from % pageBytes); page < end; page += pageBytes) {
    if (flushed.has(page)) continue
    flushed.set(page, Buffer.from(room.subarray(page, Math.min(page + pageBytes, durableBytes))))
  }
}

const contentAfterCut = (
  { room, bytes, durableBytes, flushed }: FileNode,
  random: Random,
): Buffer => {
  const grown = Math.floor(random() * (bytes - durableBytes + 1))
  const content = Buffer.from(room.subarray(0, durableBytes + grown))
  for (const [page, before] of flushed) if (random() < 0.5) before.copy(content, page)
  for (let page = durableBytes; page < content.length; page += pageBytes) {
    if (random() < 0.2) content.fill(0, page, Math.min(page + pageBytes, content.length))
  }
  return content
}
