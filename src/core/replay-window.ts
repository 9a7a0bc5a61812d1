/**
 * How old a comment may be when it is delivered, milliseconds. GitHub can be asked for a failed delivery for three days (its
 * "Redelivering webhooks"); what comes much later was sent by somebody else, and the record of what was done already, by which the same
 * comment is recognised, does not go back for ever: it has to be kept for longer than this.
 */
export const REPLAY_WINDOW_MS = 9 * 24 * 3600_000;
