// Shows the shot with three.js: import { loadShot } from './load_web.js'
//   const { scene, camera, shot } = await loadShot(THREE, new GLTFLoader(), './')
// glTF has no lens shift: the plate is padded until the principal point is its centre. Give the renderer's canvas the
// plate's size (or its aspect); the plate is the scene's background.
// Splats, if there are any, are drawn as points; with Spark's SplatMesh as a fourth argument, as splats.
export async function loadShot(THREE, loader, folder, SplatMesh = null) {
  const shot = await (await fetch(folder + 'shot.json')).json();
  const scene = new THREE.Scene(); // what a glTF file calls a scene is a mere group here, without a background
  const found = await loader.loadAsync(folder + shot.geometry);
  scene.add(found.scene);
  if (SplatMesh && shot.splats) {
    found.scene.traverse((part) => { part.visible = part.visible && !part.isPoints; });
    const splats = new SplatMesh({ url: folder + shot.splats });
    await splats.initialized;
    scene.add(splats);
  }
  const told = shot.camera.padded;
  const camera = new THREE.PerspectiveCamera();
  camera.fov = (2 * Math.atan(told.height / 2 / shot.camera.fy) * 180) / Math.PI;
  camera.aspect = told.width / shot.camera.fx / (told.height / shot.camera.fy);
  camera.near = 0.01;
  camera.far = shot.camera.far;
  const rows = shot.camera.world_from_camera.flat();
  new THREE.Matrix4().set(...rows).decompose(camera.position, camera.quaternion, camera.scale);
  camera.updateProjectionMatrix();
  const plate = await new THREE.TextureLoader().loadAsync(folder + shot.plate);
  plate.colorSpace = THREE.SRGBColorSpace;
  scene.background = plate;
  return { scene, camera, shot };
}
