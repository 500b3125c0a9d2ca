# The packages are committed, so that a plan needs neither Python nor a network. A handler changed
# without its package would be deployed in its old state, silently: compared here, refused by the root.
variable "hooks" {
  description = "The names of the hooks"
  type        = list(string)
}

locals {
  _root     = "${path.module}/../.."
  _manifest = jsondecode(file("${local._root}/dist/manifest.json"))

  # Written by "make package": the SHA-256 of each source and of each package built from them.
  _packaged = merge(local._manifest.sources, local._manifest.packages)
  _found = {
    for name in setunion(
      fileset(local._root, "lambdas/**/*.{py,json}"), fileset(local._root, "lambdas/requirements.txt"), fileset(local._root, "dist/*.zip"),
    ) : name => filesha256("${local._root}/${name}")
  }
}

output "version" {
  description = "The module's version"
  value       = local._manifest.version
}

output "checks" {
  description = "The names of the checks by hook, as its handler declares them"
  value       = local._manifest.checks
}

output "unpackaged" {
  description = "What dist/ does not have as the sources are"
  value = sort([
    for name in setunion(keys(local._packaged), keys(local._found)) : name
    if lookup(local._packaged, name, "missing") != lookup(local._found, name, "missing")
  ])
}

output "hashes" {
  description = "The hash of each hook's package, as Lambda has it"
  value       = { for hook in var.hooks : hook => filebase64sha256("${local._root}/dist/${hook}.zip") }
}
