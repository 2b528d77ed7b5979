// Judges GLB files with the Khronos glTF validator and prints one JSON object per file.
// node validate_glb.mjs NODE_MODULES FILE...   (NODE_MODULES holds gltf-validator)
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [modules, ...files] = process.argv.slice(2);
const validator = createRequire(resolve(modules, 'here.js'))('gltf-validator');
for (const file of files) {
  const report = await validator.validateBytes(new Uint8Array(readFileSync(file)), { maxIssues: 0 });
  const { numErrors: errors, numWarnings: warnings, numHints: hints, messages } = report.issues;
  console.log(JSON.stringify({ file, errors, warnings, hints, messages: messages.slice(0, 20) }));
}
