// Prints what Khronos' glTF validator finds in files: node scene_validate.cjs VALIDATOR FILE…
const { readFileSync } = require("node:fs");
const [validator, ...files] = process.argv.slice(2);
const { validateBytes } = require(validator);

(async () => {
  const report = {};
  for (const file of files) {
    const { issues, info } = await validateBytes(new Uint8Array(readFileSync(file)), { maxIssues: 0 });
    report[file] = {
      errors: issues.numErrors,
      warnings: issues.numWarnings,
      infos: issues.numInfos,
      messages: issues.messages.slice(0, 20),
      triangles: info.totalTriangleCount,
    };
  }
  console.log(JSON.stringify(report));
})();
