/** How often a thread has moved without another one moving: one that does not stop by itself spins. */
const patience = 1000

export class Streak {
  private mover = -1
  private length = 0

  begin(): void {
    this.mover = -1
    this.length = 0
  }

  ran(thread: number): void {
    this.length = thread === this.mover ? this.length + 1 : 0
    this.mover = thread
  }

  /** Whether the thread spins. Says so once: it is to be put behind all others then. */
  spins(thread: number): boolean {
    if (this.length <= patience || thread !== this.mover) return false
    this.length = 0
    return true
  }
}
