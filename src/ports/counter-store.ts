/** What is counted, and by what it is told apart. */
export type CounterName =
  /** Drift checks that ended; by outcome. */
  | 'drift_checks'
  /** Requests to a VCS host that open or change issues; by what they do. */
  | 'issue_writes'
  /** Attempts to tell somebody of drift; by outcome. */
  | 'notifications';

export interface Counter {
  readonly name: CounterName;
  readonly label: string;
  readonly value: number;
}

/** Counts for the metrics that outlive processes, and are the same whichever of them is asked. A worker that is killed may lose what it was about to count. */
export interface CounterStore {
  add(name: CounterName, label: string, by: number): Promise<void>;
  read(): Promise<readonly Counter[]>;
}
