// 50 MB of lines on both streams.
import { once } from 'node:events';

const line = `${'y'.repeat(1023)}\n`;
for (let index = 0; index < 50 * 1024; index += 1) {
  const stream = index % 2 === 0 ? process.stdout : process.stderr;
  if (!stream.write(line)) await once(stream, 'drain');
}
