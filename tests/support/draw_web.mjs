// Draws files with three.js and Spark in headless Chromium, as a web page would, and prints one JSON object per job.
// node draw_web.mjs NODE_MODULES CHROMIUM JOBS.json   (NODE_MODULES holds three, Spark and playwright-core)
// A job: kind (glb, ply, splats or shot), folder, file, lens (pose as rows, fx, fy, cx, cy, width, height).
// glb is seen through the camera in the file, shot through the one that load_web.js makes; the others through lens.
import { readFile, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join, normalize, resolve } from 'node:path';

const [modules, executablePath, list] = process.argv.slice(2);
const { chromium } = createRequire(resolve(modules, 'here.js'))('playwright-core');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm', '.png': 'image/png' };
const PAGE = `<!doctype html><body style="margin:0"><script type="importmap">{"imports": {
  "three": "/modules/three/build/three.module.js", "three/addons/": "/modules/three/examples/jsm/",
  "@sparkjsdev/spark": "/modules/@sparkjsdev/spark/dist/spark.module.js"}}</script><script type="module">
import * as THREE from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { PLYLoader } from 'three/addons/loaders/PLYLoader.js';

const renderer = new THREE.WebGLRenderer({ preserveDrawingBuffer: true });
document.body.append(renderer.domElement);

function look(lens) {
  const camera = new THREE.PerspectiveCamera(50, lens.width / lens.height, 0.01, 1000);
  new THREE.Matrix4().set(...lens.pose.flat()).decompose(camera.position, camera.quaternion, camera.scale);
  const { fx, fy, cx, cy, width, height } = lens, n = 0.01;
  camera.projectionMatrix.makePerspective(
    (-cx / fx) * n, ((width - cx) / fx) * n, (cy / fy) * n, (-(height - cy) / fy) * n, n, 1000);
  camera.projectionMatrixInverse.copy(camera.projectionMatrix).invert();
  return camera;
}

function draw(scene, camera) {
  renderer.render(scene, camera);
  const gl = renderer.getContext();
  gl.finish();
  const pixels = new Uint8Array(4 * gl.drawingBufferWidth * gl.drawingBufferHeight);
  gl.readPixels(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  return pixels.reduce((sum, value, k) => (sum * 31 + value * (k % 7 + 1)) | 0, 0);
}

async function open(job, scene) {
  const url = '/files/' + job.file;
  if (job.kind === 'glb') {
    const found = await new GLTFLoader().loadAsync(url);
    found.scene.traverse((x) => { if (x.isPoints) Object.assign(x.material, { size: 5, sizeAttenuation: false }); });
    scene.add(found.scene);
    found.scene.updateMatrixWorld(true);
    return found.cameras[0];
  }
  if (job.kind === 'ply') {
    const shape = await new PLYLoader().loadAsync(url);
    const made = { size: 5, sizeAttenuation: false, vertexColors: 'color' in shape.attributes };
    scene.add(shape.index && shape.index.count
      ? new THREE.Mesh(shape, new THREE.MeshBasicMaterial({ vertexColors: made.vertexColors, side: THREE.DoubleSide }))
      : new THREE.Points(shape, new THREE.PointsMaterial(made)));
    return look(job.lens);
  }
  const { SplatMesh, SparkRenderer } = await import('@sparkjsdev/spark');
  scene.add(new SparkRenderer({ renderer }));
  const splats = new SplatMesh({ url });
  scene.add(splats);
  await splats.initialized;
  scene.userData.splats = splats.packedSplats.numSplats;
  return look(job.lens);
}

window.show = async (job) => {
  renderer.setSize(job.lens.width, job.lens.height);
  let scene = new THREE.Scene(), camera;
  if (job.kind === 'shot') {
    const { loadShot } = await import('/files/load_web.js');
    ({ scene, camera } = await loadShot(THREE, new GLTFLoader(), '/files/'));
  } else {
    scene.background = new THREE.Color(0x996699);
    camera = await open(job, scene);
  }
  let before = draw(scene, camera);
  for (let same = 0, tries = 0; job.kind === 'splats' && same < 8 && tries < 400; tries++) { // sorted by and by
    await new Promise((done) => setTimeout(done, 50));
    const now = draw(scene, camera);
    same = now === before ? same + 1 : 0;
    before = now;
  }
  const seen = [];
  scene.traverse((x) => { if (x.isMesh || x.isPoints) seen.push({ name: x.name, type: x.type, texture: x.material?.map?.image?.width ?? 0 }); });
  return { seen, splats: scene.userData.splats ?? 0, picture: renderer.domElement.toDataURL('image/png') };
};
window.ready = true;
</script>`;

let folder = '';
const server = createServer((request, reply) => {
  const url = decodeURIComponent(request.url.split('?')[0]);
  if (url === '/') return reply.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
  const inModules = url.startsWith('/modules/');
  const path = join(inModules ? resolve(modules) : folder, normalize('/' + url.replace(/^\/(modules|files)\//, '')));
  readFile(path, (error, data) => {
    reply.writeHead(error ? 404 : 200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
    reply.end(data);
  });
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader',
    '--ignore-gpu-blocklist', '--no-first-run', '--disable-background-networking'],
});
const page = await browser.newPage({ deviceScaleFactor: 1 });
page.setDefaultTimeout(240000);
const said = [];
page.on('pageerror', (error) => said.push(String(error)));
for (const job of JSON.parse(readFileSync(list, 'utf8'))) {
  folder = resolve(job.folder);
  await page.goto(`http://127.0.0.1:${server.address().port}/`); // a fresh page: nothing of the job before
  await page.waitForFunction('window.ready');
  const { picture, ...found } = await page.evaluate((job) => window.show(job), job);
  console.log(JSON.stringify({ file: job.file, ...found, said: said.splice(0), picture: picture.split(',')[1] }));
}
await browser.close();
server.close();
