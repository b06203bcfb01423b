// The canary story with @kubernetes/client-node: custom objects, a watch, an informer.
//
//   KUBECONFIG=... KNARY_NODE_MODULES=.../node_modules node story.mjs NAMESPACE http://GATEWAY
//
// It ends with 0 when all went as told, and says each step that did.
import assert from 'node:assert/strict';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [namespace, gateway] = process.argv.slice(2);
const installed = createRequire(path.join(process.env.KNARY_NODE_MODULES, 'here.js'));
const k8s = await import(pathToFileURL(installed.resolve('@kubernetes/client-node')));

const WITHIN_MS = 20_000;
const SERVING = { group: 'serving.knative.dev', version: 'v1', plural: 'services' };
const [OLD, NEW] = ['hello-00001', 'hello-00002'];

const config = new k8s.KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(k8s.CoreV1Api);
const custom = config.makeApiClient(k8s.CustomObjectsApi);

function service(target, traffic) {
  const container = { image: 'helloworld-go', env: [{ name: 'TARGET', value: target }] };
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'hello', namespace },
    spec: { template: { spec: { containers: [container] } }, traffic },
  };
}

// What is asked goes through the gateway, as a user's request does.
function ask() {
  const headers = { host: `hello.${namespace}.example.com` };
  return new Promise((resolve, reject) => {
    http
      .get(gateway, { headers, agent: false }, (answer) => {
        let text = '';
        answer.on('data', (part) => (text += part));
        answer.on('end', () => resolve(text.trim()));
      })
      .on('error', reject);
  });
}

async function answers(count) {
  const counts = {};
  for (let turn = 0; turn < count; turn += 1) {
    const text = await ask();
    counts[text] = (counts[text] ?? 0) + 1;
  }
  return counts;
}

function isReady(object) {
  const { conditions = [], observedGeneration } = object.status ?? {};
  const ready = conditions.find((one) => one.type === 'Ready');
  return observedGeneration === object.metadata.generation && ready?.status === 'True';
}

// Watches from the version of a change on, until it is Ready.
function untilReady(changed) {
  if (isReady(changed)) return Promise.resolve(changed);
  const where = `/apis/serving.knative.dev/v1/namespaces/${namespace}/services`;
  const query = { resourceVersion: changed.metadata.resourceVersion, timeoutSeconds: 20 };
  return new Promise((resolve, reject) => {
    let controller;
    new k8s.Watch(config)
      .watch(
        where,
        query,
        (type, object) => {
          if (type === 'MODIFIED' && isReady(object)) {
            resolve(object);
            controller?.abort();
          }
        },
        (error) => reject(error ?? new Error('the watch ended before it was ready')),
      )
      .then((made) => (controller = made), reject);
  });
}

async function told(step, play) {
  await play();
  console.log(`ok: ${step}`);
}

const late = setTimeout(() => {
  console.error('the story did not end in time');
  process.exit(2);
}, 4 * WITHIN_MS);

await told('a namespace', () => core.createNamespace({ body: { metadata: { name: namespace } } }));

const seen = [];
const informer = k8s.makeInformer(
  config,
  `/apis/serving.knative.dev/v1/namespaces/${namespace}/services`,
  () => custom.listNamespacedCustomObject({ ...SERVING, namespace }),
);
const deleted = new Promise((resolve) => informer.on('delete', resolve));
for (const verb of ['add', 'update', 'delete']) informer.on(verb, () => seen.push(verb));
await informer.start();

await told('a first revision', async () => {
  const body = service('World');
  await untilReady(await custom.createNamespacedCustomObject({ ...SERVING, namespace, body }));
  assert.deepEqual(await answers(4), { 'Hello World!': 4 });
});
await told('a second one at 0 %', async () => {
  const now = await custom.getNamespacedCustomObject({ ...SERVING, namespace, name: 'hello' });
  const { spec } = service('Knative', [{ revisionName: OLD, percent: 100 }]);
  const body = { ...now, spec };
  const replaced = custom.replaceNamespacedCustomObject;
  await untilReady(
    await replaced.call(custom, { ...SERVING, namespace, name: 'hello', body }),
  );
  assert.deepEqual(await answers(10), { 'Hello World!': 10 });
});
await told('half and half', async () => {
  const traffic = [OLD, NEW].map((revisionName) => ({ revisionName, percent: 50 }));
  const merge = k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch);
  const body = { spec: { traffic } };
  await untilReady(
    await custom.patchNamespacedCustomObject(
      { ...SERVING, namespace, name: 'hello', body },
      merge,
    ),
  );
  assert.deepEqual(await answers(10), { 'Hello World!': 5, 'Hello Knative!': 5 });
});
// Not by KubernetesObjectApi: it takes Knative's Service for the core one, and drops its spec.
await told('all of it, by server-side apply', async () => {
  const apply = k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.ServerSideApply);
  const body = service('Knative', [{ latestRevision: true, percent: 100 }]);
  const fields = { fieldManager: 'story', force: true };
  await untilReady(
    await custom.patchNamespacedCustomObject(
      { ...SERVING, namespace, name: 'hello', body, ...fields },
      apply,
    ),
  );
  assert.deepEqual(await answers(10), { 'Hello Knative!': 10 });
});
await told('a wrong sum is refused', async () => {
  const body = [{ op: 'replace', path: '/spec/traffic', value: [{ revisionName: OLD, percent: 9 }] }];
  const refused = custom.patchNamespacedCustomObject({ ...SERVING, namespace, name: 'hello', body });
  await assert.rejects(refused, (error) => {
    assert.equal(error.code, 400);
    assert.match(JSON.stringify(error.body), /Traffic targets sum to 9, want 100: spec.traffic/);
    return true;
  });
});
await told('pods and their logs', async () => {
  const labelSelector = `serving.knative.dev/revision=${NEW}`;
  const { items } = await core.listNamespacedPod({ namespace, labelSelector });
  assert.equal(items.length, 1);
  const log = await core.readNamespacedPodLog({
    name: items[0].metadata.name, namespace, container: 'user-container',
  });
  assert.match(log, /helloworld: listening/);
});
await told('the informer saw it all', async () => {
  assert.equal(informer.get('hello', namespace)?.metadata.name, 'hello');
  await custom.deleteNamespacedCustomObject({ ...SERVING, namespace, name: 'hello' });
  await deleted;
  await informer.stop();
  assert.equal(seen[0], 'add');
  assert.ok(seen.includes('update'));
  assert.equal(seen.at(-1), 'delete');
});
clearTimeout(late);
