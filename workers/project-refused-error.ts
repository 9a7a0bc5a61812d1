/** What keeps a project from being worked on, in words for people. Nothing was run. */
export class ProjectRefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProjectRefusedError';
  }
}
