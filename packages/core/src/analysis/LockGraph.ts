/**
 * The lock-order graph with typed edges, after kernel/locking/lockdep.c (Documentation/locking/lockdep-design.rst,
 * "Recursive read locks").
 *
 * An edge A -> B says: B was waited for while A was held. First letter of its kind: A held Exclusive or Shared.
 * Second letter: B wanted as Recursive reader or Not. A cycle is a possible deadlock when it is strong: no edge
 * that ends in R is followed by one that starts with S, because a recursive reader does not wait for readers.
 */
export type EdgeKind = "EN" | "ER" | "SN" | "SR"

export interface GraphEdge {
  /** Lock classes. */
  readonly from: string
  readonly to: string
  readonly kind: EdgeKind
}

/** What the search has reached: a class, the last edge's second letter, and how it got there. */
interface Reached<E> {
  readonly at: string
  readonly recursive: boolean
  readonly via: E | undefined
  readonly back: Reached<E> | undefined
}

export class LockGraph<E extends GraphEdge> {
  private readonly out = new Map<string, Array<E>>()

  get(from: string, to: string, kind: EdgeKind): E | undefined {
    return this.out.get(from)?.find((edge) => edge.to === to && edge.kind === kind)
  }

  edges(): ReadonlyArray<E> {
    return [...this.out.values()].flat()
  }

  /** Puts `edge` in the place of the edge with the same ends and kind. */
  replace(edge: E): void {
    const list = this.out.get(edge.from)!
    list[list.findIndex((e) => e.to === edge.to && e.kind === edge.kind)] = edge
  }

  /**
   * Adds an edge that is not there yet. Returns the cycle it closes, if it closes one: the new edge first, then
   * a shortest strong path from its end back to its start.
   */
  add(edge: E): ReadonlyArray<E> | undefined {
    const path = this.strongPath(edge)
    const list = this.out.get(edge.from)
    if (list === undefined) this.out.set(edge.from, [edge])
    else list.push(edge)
    return path === undefined ? undefined : [edge, ...path]
  }

  private strongPath(closing: E): ReadonlyArray<E> | undefined {
    const queue: Array<Reached<E>> = [
      { at: closing.to, recursive: closing.kind.endsWith("R"), via: undefined, back: undefined }
    ]
    const seen = new Set<string>()
    for (let i = 0; i < queue.length; i++) {
      const reached = queue[i]!
      if (reached.at === closing.from && !(reached.recursive && closing.kind.startsWith("S"))) return pathTo(reached)
      for (const edge of this.out.get(reached.at) ?? []) {
        if (reached.recursive && edge.kind.startsWith("S")) continue
        const recursive = edge.kind.endsWith("R")
        const state = `${recursive ? "R" : "N"} ${edge.to}`
        if (seen.has(state)) continue
        seen.add(state)
        queue.push({ at: edge.to, recursive, via: edge, back: reached })
      }
    }
    return undefined
  }
}

const pathTo = <E>(end: Reached<E>): ReadonlyArray<E> => {
  const path: Array<E> = []
  for (let r: Reached<E> | undefined = end; r?.via !== undefined; r = r.back) path.push(r.via)
  return path.toReversed()
}
