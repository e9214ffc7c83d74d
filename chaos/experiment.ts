/** At every landing, or as long as it takes to believe it. */
export type Scale = 'landing' | 'long'

/** One promise, and the way in which it is put to the test. */
export type Experiment = {
  /** Kebab-case, as given to `--only`. */
  readonly name: string
  /** What must hold, as a sentence. */
  readonly promise: string
  /** How often it is tried, in the experiment's own unit. Zero: not at this scale. */
  readonly repetitions: Readonly<Record<Scale, number>>
  /** What goes on for longer than this is a violation, too. */
  readonly timeoutMs: (repetitions: number) => number
  readonly run: (context: ExperimentContext) => Promise<ExperimentResult>
}

export type ExperimentContext = {
  /** One for each repetition; all that is random in it depends on this alone. */
  readonly seeds: readonly number[]
  /** Progress, for people. */
  readonly log: (line: string) => void
  /** Aborts at the timeout or when the run is interrupted: end what was started. */
  readonly signal: AbortSignal
}

export type ExperimentResult = {
  /** Each a sentence that says what was seen, and the seed that shows it again. */
  readonly violations: readonly string[]
  /** Measured figures, units last in their names. */
  readonly figures: Readonly<Record<string, number | string>>
}
