export { type Publish, PUBLISH_LATER_MS, wake } from '../src/jobs/wake.ts';
