import { RequestError } from '@octokit/request-error';

interface FieldError {
  readonly field?: string;
  /** The logins that cannot be assigned; one of them on older servers. */
  readonly value?: string | readonly string[];
}

/**
 * GitHub refuses a whole request when one of the people it names cannot be assigned (422, field `assignees`), and
 * owners named in a file leave. So it is sent again without them, or without anybody when it is not said who: what was
 * refused was not carried out, and no request is sent twice as it was.
 */
export async function assignWhoCanBe<T>(
  wanted: readonly string[] | undefined,
  send: (assignees: readonly string[] | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await send(wanted);
  } catch (error) {
    const refused = refusedAssignees(error);
    if (refused === undefined || !wanted || wanted.length === 0) throw error;
    const left = wanted.filter((login) => !refused.includes(login.toLowerCase()));
    return assignWhoCanBe(left.length < wanted.length ? left : [], send);
  }
}

/** In lower case; undefined when the request was refused for something else. */
function refusedAssignees(error: unknown): readonly string[] | undefined {
  if (!(error instanceof RequestError) || error.status !== 422) return undefined;
  const { errors } = (error.response?.data ?? {}) as { readonly errors?: unknown };
  const about = (Array.isArray(errors) ? (errors as readonly FieldError[]) : []).filter(
    (each) => each?.field === 'assignees',
  );
  if (about.length === 0) return undefined;
  return about.flatMap(({ value = [] }) => value).map((login) => String(login).toLowerCase());
}
