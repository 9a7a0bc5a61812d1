/** The time over which answers to people without a say are counted, milliseconds. */
export const COUNTED_MS = 3_600_000;
/** Saying the same again tells nobody anything. */
const SAME_ANSWERS = 1;
/** Many accounts can ask as often as one. GitHub lets us write 500 times an hour, in all repositories together. */
const IN_ONE_REPOSITORY = 20;

/** Answers given to people without a say within that time. */
export interface AnswersGiven {
  /** Of the same kind, to the same person on the same pull request. */
  readonly same: number;
  readonly inRepository: number;
}

/** Whether one more is given: anybody may comment on a public repository, and must not use up what the host lets us write. */
export function mayAnswerOnceMore({ same, inRepository }: AnswersGiven): boolean {
  return same < SAME_ANSWERS && inRepository < IN_ONE_REPOSITORY;
}
