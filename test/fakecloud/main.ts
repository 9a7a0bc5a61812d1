import { servePlugin } from './plugin-server.ts';
import { FakecloudProvider, rpcHandler } from './provider.ts';

const provider = new FakecloudProvider(process.env);
servePlugin(process.env, (path) => rpcHandler(provider, path));
