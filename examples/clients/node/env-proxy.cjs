// Makes fetch heed HTTPS_PROXY and NO_PROXY, for Node 20 and early versions of 22:
// from 22.21 and 24 on Node does so with NODE_USE_ENV_PROXY=1 and needs none of
// this. Load it before a program with NODE_OPTIONS=--require=/path/to/env-proxy.cjs.
//
// Package undici is what Node's own fetch is made of, and sets its dispatcher.
const { EnvHttpProxyAgent, setGlobalDispatcher } = require("undici");

setGlobalDispatcher(new EnvHttpProxyAgent());
