// Asks the API server for its namespaces with the official JavaScript client, set up once, so many times, one second apart.
// Says of each request what came: the HTTP status, or what went wrong.
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { setTimeout } from 'node:timers/promises';

const config = new KubeConfig();
config.loadFromDefault();
const api = config.makeApiClient(CoreV1Api);

async function ask() {
  try {
    await api.listNamespace();
    return 200;
  } catch (error) {
    return error.code ?? String(error.stack ?? error).replaceAll('\n', ' ');
  }
}

for (let left = Number(process.argv[2]) - 1; left >= 0; left--) {
  console.log(await ask());
  if (left > 0) await setTimeout(1000);
}
