data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {
  lifecycle {
    # ARNs and policies are written for aws_region, resources are created in the provider's region.
    postcondition {
      condition     = self.id == var.aws_region
      error_message = "aws_region is \"${var.aws_region}\", but the aws provider given to this module works in \"${self.id}\". Set aws_region to the provider's region, or pass the provider of that region with `providers = { aws = aws.<alias> }`."
    }
  }
}

locals {
  _name_prefix = "${var.function_name_prefix}${var.app_name}-${var.environment}-"

  # The five hooks: a row for each, in the order of the deployment. The keys are the names of the
  # handlers in lambdas/ and of the packages in dist/. `settings` reaches the handler as HOOK_SETTINGS.
  _hooks = {
    validate_before_install = {
      event       = "BeforeInstall"
      description = "Validates what a deployment needs before its task set is created."
      settings    = local._validate_before_install
    }
    validate_deployment = {
      event       = "AfterInstall"
      description = "Validates the tasks of the new task set."
      settings    = local._validate_deployment
    }
    validate_test_traffic = {
      event       = "AfterAllowTestTraffic"
      description = "Validates the new task set through the test listener."
      settings    = local._validate_test_traffic
    }
    run_migrations = {
      event       = "BeforeAllowTraffic"
      description = "Runs database migrations before production traffic is routed."
      settings    = local._run_migrations
    }
    validate_production = {
      event       = "AfterAllowTraffic"
      description = "Validates the new task set under production traffic."
      settings    = local._validate_production
    }
  }

  # A map has no order: this is the order in which CodeDeploy calls the hooks.
  _lifecycle_order = [
    "validate_before_install", "validate_deployment", "validate_test_traffic", "run_migrations", "validate_production",
  ]

  # Environment variables that are not the user's: this module's own five, and those that Lambda refuses at apply.
  _reserved_names = [
    "APP_NAME", "ENVIRONMENT", "ECS_CLUSTER", "ECS_SERVICE", "HOOK_SETTINGS", "_HANDLER", "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
  ]

  # For the validations in variables.tf, and for those of HTTP requests below.
  _commands  = ["command", "verify_schema_command", "verify_data_command", "rollback_command"]
  _latencies = ["p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"]
  _patterns = {
    header       = "^[A-Za-z0-9!#$%&'*+.^_|~-]+$"
    header_value = "^([!-~\\x{a0}-\\x{ff}][\\t -~\\x{a0}-\\x{ff}]*)?$"
    layer        = "^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$"
    name         = "^[^:\\s\\pC\\pZ]{1,64}$"
    parameter    = "^([!-~]+ )?arn:[a-z-]+:ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+$"
    secret       = "^([!-~]+ )?arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(:[^:]+)?$"
    statistic    = "^(Average|Sum|Minimum|Maximum|SampleCount|p([0-9]{1,2}(\\.[0-9]+)?|100))$"
    status       = "^([1-5][0-9][0-9]|[1-5]xx|[1-5][0-9][0-9]-[1-5][0-9][0-9])$"
  }

  _function_names  = { for hook in local._lifecycle_order : hook => "${local._name_prefix}${replace(hook, "_", "-")}" }
  _log_group_names = { for hook, name in local._function_names : hook => "/aws/lambda/${name}" }

  _environments = {
    for hook, row in local._hooks : hook => merge(lookup(var.environment_variables, hook, {}), {
      APP_NAME      = var.app_name
      ENVIRONMENT   = var.environment
      ECS_CLUSTER   = var.ecs_cluster_name
      ECS_SERVICE   = var.ecs_service_name
      HOOK_SETTINGS = local._settings[hook]
    })
  }

  # Short settings stay readable in the console; long ones are packed, since 4 KB have to hold the whole environment.
  # 1500 bytes are 2000 characters of base64. Unpacked JSON begins with "{", which base64 never does.
  _settings = {
    for hook, text in { for hook, row in local._hooks : hook => jsonencode(row.settings) } :
    hook => length(base64encode(text)) > 2000 ? base64gzip(text) : text
  }

  # Lambda measures the environment as JSON, in bytes ("String measured: {…}" in its refusal).
  # Terraform counts characters, so the bytes are counted in base64: three in four characters.
  _environment_sizes = {
    for hook, variables in { for hook, variables in local._environments : hook => base64encode(jsonencode(variables)) } :
    hook => nonsensitive(length(variables) / 4 * 3 - length(regexall("=", variables)))
  }
}

# Null means "the handler's default" and is left out of HOOK_SETTINGS, which has 4 KB to fit in. So is, of migrations and
# HTTP requests, whatever has its default: they have two dozen attributes, of which most users set three. What only the
# module reads (pass_role_arns) never reaches the function.
locals {
  _validate_before_install = {
    # A test listener that no test goes through may be missing: then the preflight only says so.
    checks = merge(
      var.validate_test_traffic.base_url != null || lookup(var.validate_test_traffic.checks, "test_listener", "fail") != "fail"
      ? { test_listener = "warn" } : {},
      var.validate_before_install.checks,
    )
  }
  _validate_deployment = { for key, value in var.validate_deployment : key => value if value != null }
  _run_migrations = {
    for key, value in var.run_migrations : key => value
    if key != "pass_role_arns" && jsonencode(value) != jsonencode(lookup(local._migration_defaults, key, null))
  }
  _validate_test_traffic = local._traffic_settings.validate_test_traffic
  _validate_production = {
    for key, value in merge(local._traffic_settings.validate_production, {
      metrics = {
        for name, metric in var.validate_production.metrics : name => {
          for k, v in merge(metric, {
            threshold_range = { for bound, value in metric.threshold_range : bound => value if value != null }
          }) : k => v if v != null
        }
      }
      load = var.validate_production.load == null ? null : {
        for k, v in var.validate_production.load : k => v if v != null
      }
    }) : key => value if value != null
  }

  _traffic = {
    validate_test_traffic = var.validate_test_traffic
    validate_production   = var.validate_production
  }
  _traffic_settings = {
    for hook, options in local._traffic : hook => {
      for key, value in merge(options, {
        thresholds = { for k, v in options.thresholds : k => v if v != null }
        http_checks = length(options.http_checks) == 0 ? null : {
          for name, check in options.http_checks : name => {
            for k, v in merge(check, { jmespath = local._comparisons["${hook}.http_checks.${name}"] }) : k => v
            if v != null && jsonencode(v) != jsonencode(local._http_defaults[k])
          }
        }
        flows = length(options.flows) == 0 ? null : {
          for name, flow in options.flows : name => merge(flow, {
            steps = [
              for at, step in try(flow.steps[*], []) : {
                for k, v in merge(step, { jmespath = local._comparisons["${hook}.flows.${name}.steps[${at}]"] }) : k => v
                if v != null && jsonencode(v) != jsonencode(local._step_defaults[k])
              }
            ]
          })
        }
      }) : key => value if value != null
    }
  }

  # `jmespath` of every request, without nulls.
  _comparisons = {
    for request in local._requests : request.at => {
      for expression, comparison in request.jmespath : expression => { for k, v in comparison : k => v if v != null }
      if comparison != null
    }
  }

  # The defaults of variables.tf once more: a type's defaults cannot be read. What is not here has none.
  _migration_defaults = {
    checks                 = {}
    environment            = {}
    max_duration           = 3000
    concurrent             = "wait"
    retry_interrupted      = false
    log_lines              = 20
    interval               = 2
    on_rollback_deployment = "skip"
  }
  _http_defaults = {
    path                    = "/"
    url                     = null
    method                  = "GET"
    host                    = null
    headers                 = {}
    secret_headers          = {}
    body                    = null
    json                    = null
    timeout                 = 5
    follow_redirects        = false
    verify_tls              = true
    max_body                = 1000000
    status                  = ["200-299"]
    body_contains           = null
    body_matches            = null
    fail_if_body_matches    = null
    response_headers        = {}
    jmespath                = {}
    certificate_days        = null
    max_latency_ms          = null
    initial_delay           = 0
    interval                = 1
    attempts                = 3
    consecutive_successes   = 1
    consecutive_error_limit = 4
    severity                = "fail"
    samples                 = null
  }
  _step_defaults = merge(local._http_defaults, { attempts = 1, name = null, save = {}, always = false })
}

# The HTTP requests of both hooks are held against their rules here: a validation in variables.tf may read no list made
# of its own variable, and each rule would stand there five times. aws_lambda_function.hook refuses what is found.
locals {
  # Every request, with a default for each attribute that its type lacks. `at`: where it stands. `known`: the names that
  # a step may use; null where `{name}` has no meaning. The first of a hook holds what the others have by default.
  _requests = flatten([
    for hook, options in local._traffic : [
      for request in concat(
        [{ at = "", known = null, given = { host = options.host, headers = options.headers } }],
        [for load in try(options.load[*], []) : { at = ".load", known = null, given = load }],
        [for name, check in options.http_checks : { at = ".http_checks.${name}", known = null, given = check }],
        flatten([
          for name, flow in options.flows : [
            for at, step in try(flow.steps[*], []) : {
              at    = ".flows.${name}.steps[${at}]"
              known = concat(["image_tag", "revision"], [for earlier in slice(flow.steps, 0, at) : try(keys(earlier.save), [])]...)
              given = step
            }
          ]
        ]),
      ) : merge(local._step_defaults, request.given, { hook = hook, at = "${hook}${request.at}", known = request.known })
    ]
  ])

  # What a request's numbers may be, where they are not null. 0.001 stands for "above 0".
  _http_bounds = {
    timeout                 = { least = 0.001, most = 60, whole = false, expected = "expected seconds above 0, up to 60." }
    max_body                = { least = 1, most = 10000000, whole = true, expected = "expected a whole number of bytes from 1 to 10000000." }
    certificate_days        = { least = 0.001, most = null, whole = false, expected = "expected days above 0, or null." }
    max_latency_ms          = { least = 0.001, most = null, whole = false, expected = "expected milliseconds above 0, or null." }
    initial_delay           = { least = 0, most = 600, whole = false, expected = "expected 0 to 600 seconds." }
    interval                = { least = 0, most = 60, whole = false, expected = "expected 0 to 60 seconds." }
    attempts                = { least = 1, most = 100, whole = true, expected = "expected a whole number of attempts from 1 to 100." }
    consecutive_successes   = { least = 1, most = 100, whole = true, expected = "expected a whole number of answers from 1 to 100." }
    consecutive_error_limit = { least = 1, most = 100, whole = true, expected = "expected a whole number of requests from 1 to 100." }
    samples                 = { least = 0, most = 10000, whole = true, expected = "expected a whole number from 0 to 10000, or null for the hook's samples." }
  }

  # A row for each rule of each request: `wrong` where what is `found` is not as `expected`.
  _http_rules = flatten([
    for r in local._requests : [
      for rule in concat(
        [
          {
            at       = ".status"
            found    = jsonencode(r.status)
            wrong    = length(r.status) == 0 || anytrue([for s in r.status : !can(regex(local._patterns.status, s))])
            expected = "expected codes (\"200\"), ranges (\"200-399\") or classes (\"2xx\"), at least one."
          },
          {
            at    = ".status"
            found = jsonencode(r.status)
            wrong = anytrue([
              for s in r.status : can(regex("^[0-9]+-[0-9]+$", s)) ? tonumber(split("-", s)[0]) > tonumber(split("-", s)[1]) : false
            ])
            expected = "a range goes from the lower to the higher code (\"200-299\")."
          },
          {
            at       = ".method"
            found    = jsonencode(r.method)
            wrong    = !contains(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], r.method)
            expected = "expected GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS."
          },
          {
            at       = ".path"
            found    = jsonencode(r.path)
            wrong    = !can(regex("^/[!-~]*$", r.path))
            expected = "a path begins with \"/\" and has no spaces; a whole address goes into url."
          },
          {
            at       = ".url"
            found    = "${jsonencode(r.url)} with path ${jsonencode(r.path)}"
            wrong    = r.url == null ? false : !can(regex("^https?://[^/?#]", r.url)) || !can(regex("^[!-~]+$", r.url)) || r.path != "/"
            expected = "expected \"http://…\" or \"https://…\", and the path as part of it."
          },
          {
            at       = ".host"
            found    = jsonencode(r.host)
            wrong    = r.host == null ? false : !can(regex("^[A-Za-z0-9.:_-]+$", r.host))
            expected = "expected a host name such as \"www.example.com\"."
          },
          {
            at       = ".json"
            found    = "a text of ${try(length(r.json), 0)} characters that is no JSON"
            wrong    = r.json == null ? false : !can(jsondecode(r.json))
            expected = "expected JSON text, such as jsonencode({ item = \"book\" }). What the answer's JSON has to be goes into jmespath."
          },
          {
            at       = ".json"
            found    = "set beside body"
            wrong    = r.json != null && r.body != null
            expected = "a request has one body: leave one of them out."
          },
          {
            at       = ".follow_redirects"
            found    = "true beside secret_headers"
            wrong    = r.follow_redirects && length(r.secret_headers) > 0
            expected = "a redirect could lead the secret elsewhere: leave it out and ask for the last address."
          },
          {
            at       = ".certificate_days"
            found    = "${jsonencode(r.certificate_days)} with verify_tls false"
            wrong    = r.certificate_days != null && !r.verify_tls
            expected = "only of a certificate that is verified the end is known: leave one of them out."
          },
          {
            at       = ".consecutive_successes"
            found    = "${r.consecutive_successes} with attempts ${r.attempts}"
            wrong    = r.consecutive_successes > r.attempts
            expected = "so many good answers need as many attempts: raise attempts."
          },
          {
            at       = ".severity"
            found    = jsonencode(r.severity)
            wrong    = !contains(["fail", "warn"], r.severity)
            expected = "expected \"fail\" or \"warn\"; \"skip\" goes into the hook's checks."
          },
        ],
        [
          for name, bounds in local._http_bounds : {
            at    = ".${name}"
            found = jsonencode(r[name])
            wrong = r[name] == null ? false : (
              r[name] < bounds.least || (bounds.most == null ? false : r[name] > bounds.most) || (bounds.whole && floor(r[name]) != r[name])
            )
            expected = bounds.expected
          }
        ],
        flatten([
          for kind in ["headers", "secret_headers", "response_headers"] : [
            for header, value in r[kind] : [
              {
                at       = ".${kind}[${jsonencode(header)}]"
                found    = "no header"
                wrong    = !can(regex(local._patterns.header, header))
                expected = "a header's name has letters, digits and hyphens and no colon."
              },
              {
                at       = ".${kind}[${jsonencode(header)}]"
                found    = "no header's value"
                wrong    = !can(regex(local._patterns.header_value, value))
                expected = "it is a text without line breaks and control characters, and begins with no space; leave out what has none."
              },
            ]
          ]
        ]),
        [
          # What was given may be the secret itself: it is not shown.
          for header, value in r.secret_headers : {
            at       = ".secret_headers[${jsonencode(header)}]"
            found    = "a text of ${try(length(value), 0)} characters that is no such ARN"
            wrong    = !can(regex(local._patterns.secret, value)) && !can(regex(local._patterns.parameter, value))
            expected = "expected the ARN of a Secrets Manager secret or SSM parameter, alone or after one word (\"Bearer arn:…\"). The value itself belongs there, not here."
          }
        ],
        flatten([
          for expression, comparison in r.jmespath : [
            {
              at       = ".jmespath[${jsonencode(expression)}]"
              found    = "without a comparison"
              wrong    = try(alltrue([for value in values(comparison) : value == null]), true)
              expected = "expected equals, one_of, at_least, at_most, exists or length."
            },
            {
              at       = ".jmespath[${jsonencode(expression)}].one_of"
              found    = "empty"
              wrong    = try(length(comparison.one_of) == 0, false)
              expected = "no value could be one of none: expected one text at least."
            },
            {
              at       = ".jmespath[${jsonencode(expression)}].at_least"
              found    = "${jsonencode(try(comparison.at_least, null))} with at_most ${jsonencode(try(comparison.at_most, null))}"
              wrong    = try(comparison.at_least > comparison.at_most, false)
              expected = "no value can lie between them."
            },
            {
              at       = ".jmespath[${jsonencode(expression)}].length"
              found    = jsonencode(try(comparison.length, null))
              wrong    = try(comparison.length < 0 || floor(comparison.length) != comparison.length, false)
              expected = "expected a whole number, 0 or more."
            },
          ]
        ]),
        flatten([
          for name, source in r.save : [
            {
              at       = ".save[${jsonencode(name)}]"
              found    = "no name to use as {name}"
              wrong    = !can(regex("^[a-z][a-z0-9_]*$", name))
              expected = "it begins with a small letter; small letters, digits and underscores follow."
            },
            {
              at       = ".save[${jsonencode(name)}]"
              found    = jsonencode(source)
              wrong    = !can(regex(startswith(try(source, ""), "header:") ? local._patterns.header : ".", trimprefix(source, "header:")))
              expected = "expected a JMESPath expression of the answer, or \"header:<name>\"."
            },
          ]
        ]),
        [
          for at, names in {
            for at, text in merge({ ".path" = r.path, ".url" = r.url }, { for k, v in r.headers : ".headers[${jsonencode(k)}]" => v }) :
            at => distinct([
              for name in flatten(try(regexall("\\{([a-z][a-z0-9_]*)\\}", text), [])) : name
              if r.known == null ? false : !contains(r.known, name)
            ])
            } : {
            at       = at
            found    = "a text with {${join("}, {", names)}}"
            wrong    = length(names) > 0
            expected = "no step before it saves that. Save it (save = { <name> = … }); {image_tag} and {revision} are always known."
          }
        ],
      ) : merge(rule, { hook = r.hook, at = "${r.at}${rule.at}" })
    ]
  ])

  # The same for what holds requests.
  _http_entries = flatten([
    for hook, options in local._traffic : concat(
      [
        for at in concat([for name in keys(options.http_checks) : ["http_checks", name]], [for name in keys(options.flows) : ["flows", name]]) : {
          hook     = hook
          at       = "${hook}.${at[0]}[${jsonencode(at[1])}]"
          found    = "no name"
          wrong    = !can(regex(local._patterns.name, at[1]))
          expected = "a name has up to 64 printable characters, no spaces and no colons."
        }
      ],
      [
        for name, check in options.http_checks : {
          hook     = hook
          at       = "${hook}.http_checks.${name}"
          found    = "null"
          wrong    = check == null
          expected = "expected an object ({} is a GET of \"/\"); leave it out if there is no such check."
        }
      ],
      flatten([
        for name, flow in options.flows : [
          {
            hook     = hook
            at       = "${hook}.flows.${name}.steps"
            found    = jsonencode(try(flow.steps, null))
            wrong    = length(try(flow.steps[*], [])) == 0 || anytrue([for step in try(flow.steps[*], []) : step == null])
            expected = "expected a list of requests, one at least."
          },
          {
            hook     = hook
            at       = "${hook}.flows.${name}.severity"
            found    = jsonencode(try(flow.severity, null))
            wrong    = !contains(["fail", "warn"], try(flow.severity, "fail"))
            expected = "expected \"fail\" or \"warn\"; \"skip\" goes into the hook's checks."
          },
        ]
      ]),
    )
  ])

  # With one sensitive value Terraform would show none of the sentences: it is left out of its own.
  _http_problems = {
    for hook in keys(local._traffic) : hook => [
      for rule in concat(local._http_entries, local._http_rules) :
      "${rule.at} is ${nonsensitive(issensitive(rule.found) ? "a sensitive value" : rule.found)}; ${rule.expected}"
      if rule.hook == hook && nonsensitive(rule.wrong)
    ]
  }
}

# A typing mistake in `checks` would pass unnoticed: nothing would be left out, or made to fail. It is a warning and no
# refusal, since a handler of one's own may have other checks.
locals {
  _checks = {
    validate_before_install = [
      "cluster", "service", "deployment_controller", "desired_count", "running_count", "service_steady",
      "left_over_task_sets", "blue_targets", "appspec", "task_definition", "container_port", "network_mode",
      "launch_type", "cpu_memory", "platform_version", "cpu_architecture", "images", "image_tag_mutable",
      "execution_role", "task_role", "secrets", "parameters", "log_groups", "volumes", "target_groups",
      "target_groups_alike", "target_group_vpc", "target_group_port", "health_check", "health_check_matcher",
      "production_listener", "test_listener", "load_balancer", "availability_zones", "production_weights",
      "test_weights", "listener_rules", "traffic_routing", "free_addresses", "security_groups", "auto_scaling",
      "alarms", "auto_rollback", "hook_functions", "hook_roles", "service_role",
    ]
    validate_deployment = [
      "green", "task_start", "crash_loop", "task_count", "tasks_running", "container_health", "image_digest",
      "green_targets", "steady",
    ]
  }
  _unknown_checks = flatten([
    for hook, checks in {
      validate_before_install = var.validate_before_install.checks
      validate_deployment     = var.validate_deployment.checks
    } : [for name in keys(checks) : "${hook}.checks.${name}" if !contains(local._checks[hook], split(":", name)[0])]
  ])
}

check "names_of_checks" {
  assert {
    condition     = length(local._unknown_checks) == 0
    error_message = "No check of the module has this name: ${join(", ", local._unknown_checks)}. The names are in README.md; if it is not a check of your own handler, mend the name."
  }
}

# The packages are committed, so that a plan needs neither Python nor a network. A handler changed
# without its package would be deployed in its old state, silently: compared here, refused below.
locals {
  _manifest = jsondecode(file("${path.module}/dist/manifest.json"))

  # Written by "make package": the SHA-256 of each source and of each package built from them.
  _packaged = merge(local._manifest.sources, local._manifest.packages)
  _found = {
    for name in setunion(
      fileset(path.module, "lambdas/**/*.py"), fileset(path.module, "lambdas/requirements.txt"), fileset(path.module, "dist/*.zip"),
    ) : name => filesha256("${path.module}/${name}")
  }
  _unpackaged = sort([
    for name in setunion(keys(local._packaged), keys(local._found)) : name
    if lookup(local._packaged, name, "missing") != lookup(local._found, name, "missing")
  ])
}

resource "aws_cloudwatch_log_group" "hook" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is the user's choice (log_retention); a year is no more than a default.
  for_each = local._function_names

  name              = local._log_group_names[each.key]
  retention_in_days = var.log_retention
  kms_key_id        = var.kms_key_arn

  tags = var.tags
}

resource "aws_lambda_layer_version" "libraries" {
  layer_name          = "${local._name_prefix}libraries"
  description         = "requests and PyYAML, pure Python, as pinned in lambdas/requirements.txt."
  filename            = "${path.module}/dist/layer.zip"
  source_code_hash    = filebase64sha256("${path.module}/dist/layer.zip")
  compatible_runtimes = ["python3.9", "python3.10", "python3.11", "python3.12", "python3.13"]

  lifecycle {
    # The functions move to the new version before the old one goes.
    create_before_destroy = true
  }
}

resource "aws_lambda_function" "hook" {
  #checkov:skip=CKV_AWS_50:The functions bring no X-Ray SDK; each line of the JSON log has the deployment's and the request's id.
  #checkov:skip=CKV_AWS_115:A limit per function takes from the account's pool, and one that is exhausted would hold a deployment up.
  #checkov:skip=CKV_AWS_116:What a hook could not do it reports to CodeDeploy; an event kept for later belongs to a deployment that has ended.
  #checkov:skip=CKV_AWS_272:The packages are in this repository and Terraform compares their hashes at each plan; a signing profile is the user's.
  for_each = local._hooks

  function_name = local._function_names[each.key]
  description   = "${each.value.event}: ${each.value.description}"
  role          = aws_iam_role.hook[each.key].arn

  filename         = "${path.module}/dist/${each.key}.zip"
  source_code_hash = filebase64sha256("${path.module}/dist/${each.key}.zip")
  handler          = "${each.key}.handler"
  runtime          = var.runtime
  architectures    = [var.architecture]
  layers           = concat([aws_lambda_layer_version.libraries.arn], lookup(var.layers, each.key, []))
  memory_size      = var.memory_size
  timeout          = var.timeout
  kms_key_arn      = var.kms_key_arn

  environment {
    variables = local._environments[each.key]
  }

  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "INFO"
    log_group             = aws_cloudwatch_log_group.hook[each.key].name
  }

  dynamic "vpc_config" {
    for_each = var.vpc_config[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  tags = var.tags

  # Lambda refuses a function in a VPC whose role may not create its network interfaces.
  depends_on = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]

  lifecycle {
    precondition {
      condition     = length(local._unpackaged) == 0
      error_message = "dist/ is not what the sources build: ${join(", ", local._unpackaged)}. Run \"make package\" and commit dist/."
    }

    precondition {
      condition     = length(lookup(local._http_problems, each.key, [])) == 0
      error_message = join("\n", lookup(local._http_problems, each.key, []))
    }

    precondition {
      condition     = local._environment_sizes[each.key] <= 4096
      error_message = "The environment of ${each.key} takes ${local._environment_sizes[each.key]} bytes, Lambda allows 4096. Shorten the options of ${each.key} (fewer or smaller http_checks, flows, metrics or commands) or its environment_variables."
    }
  }
}

resource "aws_lambda_function_event_invoke_config" "hook" {
  for_each = aws_lambda_function.hook

  function_name = each.value.function_name
  # CodeDeploy gives a hook one hour. An event held back longer (no concurrency left, say) belongs to a
  # deployment that has ended: without this limit Lambda would still run its migrations, up to six hours on.
  maximum_event_age_in_seconds = 3600
  maximum_retry_attempts       = 2
}
