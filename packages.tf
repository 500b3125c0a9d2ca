# What is in dist/, beside what the sources build.
module "packages" {
  source = "./modules/packages"

  hooks = local._lifecycle_order
}
