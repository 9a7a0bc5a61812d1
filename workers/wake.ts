export { FIRST_SIGN_MS, type Publish, wake } from '../src/jobs/wake.ts';
