# The packages are committed, so that a plan needs neither Python nor a network. A handler changed
# without its package would be deployed in its old state, silently: compared here, refused below.
locals {
  _manifest = jsondecode(file("${path.module}/dist/manifest.json"))

  # Written by "make package": the SHA-256 of each source and of each package built from them.
  _packaged = merge(local._manifest.sources, local._manifest.packages)
  _found = {
    for name in setunion(
      fileset(path.module, "lambdas/**/*.{py,json}"), fileset(path.module, "lambdas/requirements.txt"), fileset(path.module, "dist/*.zip"),
    ) : name => filesha256("${path.module}/${name}")
  }
  _unpackaged = sort([
    for name in setunion(keys(local._packaged), keys(local._found)) : name
    if lookup(local._packaged, name, "missing") != lookup(local._found, name, "missing")
  ])
  _package_hashes = { for hook in local._lifecycle_order : hook => filebase64sha256("${path.module}/dist/${hook}.zip") }
}
