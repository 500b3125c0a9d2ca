# What is typed is seen whole here (the variables are `any`), and refused where it is no option; then it gets its types,
# defaults and bounds. Both modules are written by "make options" from lambdas/gate/options/.
module "given" {
  source = "./modules/options/given"

  validate_before_install = var.validate_before_install
  validate_deployment     = var.validate_deployment
  validate_test_traffic   = var.validate_test_traffic
  run_migrations          = var.run_migrations
  validate_production     = var.validate_production
}

module "options" {
  source = "./modules/options"

  validate_before_install = module.given.validate_before_install
  validate_deployment     = module.given.validate_deployment
  validate_test_traffic   = module.given.validate_test_traffic
  run_migrations          = module.given.run_migrations
  validate_production     = module.given.validate_production
}

# Names in `checks`. The packages' manifest has those that a handler declares, one's own too: `http:{http_checks}` stands
# for one of each key of that option, `alarms:{alarm}`, which is none, for whatever begins like it ("alarms:*").
locals {
  _names = {
    for hook in local._lifecycle_order : hook => flatten([
      for name in module.packages.checks[hook] : [
        for key in try(local._keys[hook][regex("{([^}]+)}", name)[0]], ["*"]) : replace(name, "/{[^}]+}/", replace(key, "$", "$$"))
      ]
    ])
  }
  _keys = {
    for hook in local._lifecycle_order : hook => {
      for option in nonsensitive(keys(module.options[hook])) : option =>
      concat(option == "http_checks" ? ["health"] : [], try(nonsensitive(keys(module.options[hook][option])), ["*"]))
    }
  }
  _unknown_names = {
    for hook in local._lifecycle_order : hook => [
      for name in nonsensitive(keys(module.options[hook].checks)) : name if !contains(local._names[hook], name) && !anytrue([
        for known in local._names[hook] : endswith(known, "*") && startswith(name, trimsuffix(known, "*"))
      ])
    ]
  }
}

# What a function is told. Short settings stay readable in the console; long ones are packed, since 4 KB have to hold the
# whole environment: 1500 bytes are 2000 characters of base64. Unpacked JSON begins with "{", which base64 never does.
locals {
  _settings = {
    for hook, text in {
      for hook in local._lifecycle_order : hook => jsonencode(merge(
        module.options[hook],
        { schema = module.options.schemas[hook], in_vpc = var.vpc_config != null, event_bus = module.visibility.event_bus },
        var.allow_overrides ? {} : { overrides = "forbid" },
        # Held against what runs.
        hook == "validate_before_install" ? { packages = module.packages.hashes } : {},
      ))
    } : hook => length(base64encode(text)) > 2000 ? base64gzip(text) : text
  }

  _environments = {
    for hook in local._lifecycle_order : hook => merge(lookup(module.custom.environment_variables, hook, {}), {
      APP_NAME      = var.app_name
      ENVIRONMENT   = var.environment
      ECS_CLUSTER   = var.ecs_cluster_name
      ECS_SERVICE   = var.ecs_service_name
      HOOK_SETTINGS = local._settings[hook]
    })
  }

  # Lambda measures the environment as JSON, in bytes ("String measured: {…}" in its refusal).
  # Terraform counts characters, so the bytes are counted in base64: three in four characters.
  _environment_sizes = {
    for hook, variables in { for hook, variables in local._environments : hook => base64encode(jsonencode(variables)) } :
    hook => nonsensitive(length(variables) / 4 * 3 - length(regexall("=", variables)))
  }
}
