/** What a step touches, and when two steps are dependent for it. The places and modes are those of `Dependence`. */

/** Modes: `writing` conflicts with every mode; any other mode conflicts with all but itself. */
export type Mode = number
export const writing: Mode = -1
export const reading: Mode = 0
/** Readers of an rwsem that come and go while nobody waits for it. */
export const sharing: Mode = 1
/** Additions whose result nobody sees. */
export const adding: Mode = 2

export const conflicting = (a: Mode, b: Mode): boolean => a === writing || a !== b

/** What a step touches: parallel arrays of places and modes. */
export interface Footprint {
  readonly places: ReadonlyArray<number>
  readonly modes: ReadonlyArray<Mode>
}

/** Two steps of different threads are dependent: their order can matter. */
export const dependent = (a: Footprint, b: Footprint): boolean => {
  for (let i = 0; i < a.places.length; i++) {
    for (let j = 0; j < b.places.length; j++) {
      if (a.places[i] === b.places[j] && conflicting(a.modes[i]!, b.modes[j]!)) return true
    }
  }
  return false
}

/** A footprint under construction. A place is kept once, in the mode that conflicts with more. */
export class Touched implements Footprint {
  readonly places: Array<number>
  readonly modes: Array<Mode>

  /** Starts with a copy of what is given. */
  constructor(places: ReadonlyArray<number> = [], modes: ReadonlyArray<Mode> = []) {
    this.places = places.slice()
    this.modes = modes.slice()
  }

  addAll(places: ReadonlyArray<number>, modes: ReadonlyArray<Mode>): void {
    for (let i = 0; i < places.length; i++) this.add(places[i]!, modes[i]!)
  }

  add(place: number, mode: Mode): void {
    const at = this.places.indexOf(place)
    if (at < 0) {
      this.places.push(place)
      this.modes.push(mode)
    } else if (this.modes[at] !== mode) this.modes[at] = writing
  }
}

/** A copy as plain JSON. */
export const saveFootprint = ({ modes, places }: Footprint): Footprint => ({ places: [...places], modes: [...modes] })

/** What either touches. */
export const union = (a: Footprint | undefined, b: Footprint): Footprint => {
  const touched = new Touched(a?.places, a?.modes)
  for (let i = 0; i < b.places.length; i++) touched.add(b.places[i]!, b.modes[i]!)
  return touched
}
