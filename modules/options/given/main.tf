# Written by "make options" from lambdas/gate/options/. Change it there.

variable "validate_before_install" {
  description = "Options of validate_before_install, as they were typed"
  type        = any
  default     = {}
  nullable    = false
}

locals {
  _validate_before_install_found   = [{ at = "validate_before_install", v = var.validate_before_install }]
  _validate_before_install         = [for o in local._validate_before_install_found : o if can(length([keys(o.v)]))]
  _validate_before_install_wrong_0 = flatten([for o in local._validate_before_install : [for k in keys(o.v) : "${o.at} has no option ${k}; it has checks" if !contains(["checks"], k)]])
  _validate_before_install_wrong_1 = [for o in local._validate_before_install_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_before_install_wrong_2 = flatten([for o in local._validate_before_install : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["checks"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_before_install_wrong_3 = flatten([for o in local._validate_before_install : [for v in [lookup(o.v, "checks", null)] : [for k, e in v : "${o.at}.checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
}

output "validate_before_install" {
  description = "Options of validate_before_install, all of them known"
  value       = var.validate_before_install

  precondition {
    condition     = length(nonsensitive(local._validate_before_install_wrong_0)) == 0
    error_message = join("\n", nonsensitive(local._validate_before_install_wrong_0))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_before_install_wrong_1)) == 0
    error_message = join("\n", nonsensitive(local._validate_before_install_wrong_1))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_before_install_wrong_2)) == 0
    error_message = join("\n", nonsensitive(local._validate_before_install_wrong_2))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_before_install_wrong_3)) == 0
    error_message = join("\n", nonsensitive(local._validate_before_install_wrong_3))
  }
}

variable "validate_deployment" {
  description = "Options of validate_deployment, as they were typed"
  type        = any
  default     = {}
  nullable    = false
}

locals {
  _validate_deployment_found   = [{ at = "validate_deployment", v = var.validate_deployment }]
  _validate_deployment         = [for o in local._validate_deployment_found : o if can(length([keys(o.v)]))]
  _validate_deployment_wrong_0 = flatten([for o in local._validate_deployment : [for k in keys(o.v) : "${o.at} has no option ${k}; it has checks, expected_count, interval, consecutive_successes" if !contains(["checks", "expected_count", "interval", "consecutive_successes"], k)]])
  _validate_deployment_wrong_1 = [for o in local._validate_deployment_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_deployment_wrong_2 = flatten([for o in local._validate_deployment : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["expected_count", "interval", "consecutive_successes"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_deployment_wrong_3 = flatten([for o in local._validate_deployment : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["checks"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_deployment_wrong_4 = flatten([for o in local._validate_deployment : [for v in [lookup(o.v, "checks", null)] : [for k, e in v : "${o.at}.checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
}

output "validate_deployment" {
  description = "Options of validate_deployment, all of them known"
  value       = var.validate_deployment

  precondition {
    condition     = length(nonsensitive(local._validate_deployment_wrong_0)) == 0
    error_message = join("\n", nonsensitive(local._validate_deployment_wrong_0))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_deployment_wrong_1)) == 0
    error_message = join("\n", nonsensitive(local._validate_deployment_wrong_1))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_deployment_wrong_2)) == 0
    error_message = join("\n", nonsensitive(local._validate_deployment_wrong_2))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_deployment_wrong_3)) == 0
    error_message = join("\n", nonsensitive(local._validate_deployment_wrong_3))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_deployment_wrong_4)) == 0
    error_message = join("\n", nonsensitive(local._validate_deployment_wrong_4))
  }
}

variable "validate_test_traffic" {
  description = "Options of validate_test_traffic, as they were typed"
  type        = any
  default     = {}
  nullable    = false
}

locals {
  _validate_test_traffic_found                              = [{ at = "validate_test_traffic", v = var.validate_test_traffic }]
  _validate_test_traffic                                    = [for o in local._validate_test_traffic_found : o if can(length([keys(o.v)]))]
  _validate_test_traffic_http_checks_found                  = flatten([for o in local._validate_test_traffic : [for v in [lookup(o.v, "http_checks", null)] : [for k in keys(v) : { at = "${o.at}.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_test_traffic_http_checks                        = [for o in local._validate_test_traffic_http_checks_found : o if can(length([keys(o.v)]))]
  _validate_test_traffic_flows_found                        = flatten([for o in local._validate_test_traffic : [for v in [lookup(o.v, "flows", null)] : [for k in keys(v) : { at = "${o.at}.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_test_traffic_flows                              = [for o in local._validate_test_traffic_flows_found : o if can(length([keys(o.v)]))]
  _validate_test_traffic_thresholds_found                   = flatten([for o in local._validate_test_traffic : [for v in [lookup(o.v, "thresholds", null)] : { at = "${o.at}.thresholds", v = v } if(can(length([coalesce(v)])) || can(length([upper(v)])))]])
  _validate_test_traffic_thresholds                         = [for o in local._validate_test_traffic_thresholds_found : o if can(length([keys(o.v)]))]
  _validate_test_traffic_smoke_test_found                   = flatten([for o in local._validate_test_traffic : [for v in [lookup(o.v, "smoke_test", null)] : { at = "${o.at}.smoke_test", v = v } if(can(length([coalesce(v)])) || can(length([upper(v)])))]])
  _validate_test_traffic_smoke_test                         = [for o in local._validate_test_traffic_smoke_test_found : o if can(length([keys(o.v)]))]
  _validate_test_traffic_http_checks_response_headers_found = flatten([for o in local._validate_test_traffic_http_checks : [for v in [lookup(o.v, "response_headers", null)] : [for k in keys(v) : { at = "${o.at}.response_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_test_traffic_http_checks_response_headers       = [for o in local._validate_test_traffic_http_checks_response_headers_found : o if can(length([keys(o.v)]))]
  _validate_test_traffic_http_checks_jmespath_found         = flatten([for o in local._validate_test_traffic_http_checks : [for v in [lookup(o.v, "jmespath", null)] : [for k in keys(v) : { at = "${o.at}.jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_test_traffic_http_checks_jmespath               = [for o in local._validate_test_traffic_http_checks_jmespath_found : o if can(length([keys(o.v)]))]
  _validate_test_traffic_flows_steps_found                  = flatten([for o in local._validate_test_traffic_flows : [for v in [lookup(o.v, "steps", null)] : [for k, e in [for e in v : e] : { at = "${o.at}.steps[${k}]", v = e }] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_test_traffic_flows_steps                        = [for o in local._validate_test_traffic_flows_steps_found : o if can(length([keys(o.v)]))]
  _validate_test_traffic_flows_steps_response_headers_found = flatten([for o in local._validate_test_traffic_flows_steps : [for v in [lookup(o.v, "response_headers", null)] : [for k in keys(v) : { at = "${o.at}.response_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_test_traffic_flows_steps_response_headers       = [for o in local._validate_test_traffic_flows_steps_response_headers_found : o if can(length([keys(o.v)]))]
  _validate_test_traffic_flows_steps_jmespath_found         = flatten([for o in local._validate_test_traffic_flows_steps : [for v in [lookup(o.v, "jmespath", null)] : [for k in keys(v) : { at = "${o.at}.jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_test_traffic_flows_steps_jmespath               = [for o in local._validate_test_traffic_flows_steps_jmespath_found : o if can(length([keys(o.v)]))]
  _validate_test_traffic_wrong_0                            = flatten([for o in local._validate_test_traffic : [for k in keys(o.v) : "${o.at} has no option ${k}; it has checks, host, headers, http_checks, flows, samples, concurrency, thresholds, smoke_test, base_url, interval" if !contains(["checks", "host", "headers", "http_checks", "flows", "samples", "concurrency", "thresholds", "smoke_test", "base_url", "interval"], k)]])
  _validate_test_traffic_wrong_1                            = flatten([for o in local._validate_test_traffic_http_checks : [for k in keys(o.v) : "${o.at} has no option ${k}; it has path, url, method, host, headers, secret_headers, body, json, timeout, follow_redirects, verify_tls, max_body, status, body_contains, body_matches, fail_if_body_matches, response_headers, jmespath, max_latency_ms, interval, attempts, consecutive_successes, consecutive_error_limit, initial_delay, severity, samples" if !contains(["path", "url", "method", "host", "headers", "secret_headers", "body", "json", "timeout", "follow_redirects", "verify_tls", "max_body", "status", "body_contains", "body_matches", "fail_if_body_matches", "response_headers", "jmespath", "max_latency_ms", "interval", "attempts", "consecutive_successes", "consecutive_error_limit", "initial_delay", "severity", "samples"], k)]])
  _validate_test_traffic_wrong_2                            = flatten([for o in local._validate_test_traffic_flows : [for k in keys(o.v) : "${o.at} has no option ${k}; it has steps, severity, repeat" if !contains(["steps", "severity", "repeat"], k)]])
  _validate_test_traffic_wrong_3                            = [for o in local._validate_test_traffic_flows : "${o.at}.steps is missing; expected a list." if !(can(length([coalesce(lookup(o.v, "steps", null))])) || can(length([upper(lookup(o.v, "steps", null))])))]
  _validate_test_traffic_wrong_4                            = flatten([for o in local._validate_test_traffic_thresholds : [for k in keys(o.v) : "${o.at} has no option ${k}; it has error_rate, p50_ms, p90_ms, p95_ms, p99_ms, max_ms" if !contains(["error_rate", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"], k)]])
  _validate_test_traffic_wrong_5                            = flatten([for o in local._validate_test_traffic_smoke_test : [for k in keys(o.v) : "${o.at} has no option ${k}; it has container, environment, cpu, memory, subnets, security_groups, assign_public_ip, launch, log_lines, pass_role_arns, command, task_definition, timeout" if !contains(["container", "environment", "cpu", "memory", "subnets", "security_groups", "assign_public_ip", "launch", "log_lines", "pass_role_arns", "command", "task_definition", "timeout"], k)]])
  _validate_test_traffic_wrong_6                            = flatten([for o in local._validate_test_traffic_http_checks_response_headers : [for k in keys(o.v) : "${o.at} has no option ${k}; it has equals, matches, absent" if !contains(["equals", "matches", "absent"], k)]])
  _validate_test_traffic_wrong_7                            = flatten([for o in local._validate_test_traffic_http_checks_jmespath : [for k in keys(o.v) : "${o.at} has no option ${k}; it has equals, one_of, at_least, at_most, exists, length" if !contains(["equals", "one_of", "at_least", "at_most", "exists", "length"], k)]])
  _validate_test_traffic_wrong_8                            = flatten([for o in local._validate_test_traffic_flows_steps : [for k in keys(o.v) : "${o.at} has no option ${k}; it has path, url, method, host, headers, secret_headers, body, json, timeout, follow_redirects, verify_tls, max_body, status, body_contains, body_matches, fail_if_body_matches, response_headers, jmespath, max_latency_ms, interval, attempts, consecutive_successes, consecutive_error_limit, name, save, always" if !contains(["path", "url", "method", "host", "headers", "secret_headers", "body", "json", "timeout", "follow_redirects", "verify_tls", "max_body", "status", "body_contains", "body_matches", "fail_if_body_matches", "response_headers", "jmespath", "max_latency_ms", "interval", "attempts", "consecutive_successes", "consecutive_error_limit", "name", "save", "always"], k)]])
  _validate_test_traffic_wrong_9                            = flatten([for o in local._validate_test_traffic_flows_steps_response_headers : [for k in keys(o.v) : "${o.at} has no option ${k}; it has equals, matches, absent" if !contains(["equals", "matches", "absent"], k)]])
  _validate_test_traffic_wrong_10                           = flatten([for o in local._validate_test_traffic_flows_steps_jmespath : [for k in keys(o.v) : "${o.at} has no option ${k}; it has equals, one_of, at_least, at_most, exists, length" if !contains(["equals", "one_of", "at_least", "at_most", "exists", "length"], k)]])
  _validate_test_traffic_wrong_11                           = [for o in local._validate_test_traffic_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_test_traffic_wrong_12                           = flatten([for o in local._validate_test_traffic : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["host", "base_url"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_test_traffic_wrong_13                           = flatten([for o in local._validate_test_traffic : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["samples", "concurrency", "interval"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_test_traffic_wrong_14                           = flatten([for o in local._validate_test_traffic : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["checks", "headers", "http_checks", "flows"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_test_traffic_wrong_15                           = flatten([for o in local._validate_test_traffic : [for v in [lookup(o.v, "checks", null)] : [for k, e in v : "${o.at}.checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_test_traffic_wrong_16                           = flatten([for o in local._validate_test_traffic : [for v in [lookup(o.v, "headers", null)] : [for k, e in v : "${o.at}.headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_test_traffic_wrong_17                           = [for o in local._validate_test_traffic_http_checks_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_test_traffic_wrong_18                           = flatten([for o in local._validate_test_traffic_http_checks : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["path", "url", "method", "host", "body", "json", "body_contains", "body_matches", "fail_if_body_matches", "severity"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_test_traffic_wrong_19                           = flatten([for o in local._validate_test_traffic_http_checks : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["follow_redirects", "verify_tls"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_test_traffic_wrong_20                           = flatten([for o in local._validate_test_traffic_http_checks : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["timeout", "max_body", "max_latency_ms", "interval", "attempts", "consecutive_successes", "consecutive_error_limit", "initial_delay", "samples"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_test_traffic_wrong_21                           = flatten([for o in local._validate_test_traffic_http_checks : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["headers", "secret_headers", "response_headers", "jmespath"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_test_traffic_wrong_22                           = flatten([for o in local._validate_test_traffic_http_checks : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["status"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_test_traffic_wrong_23                           = flatten([for o in local._validate_test_traffic_http_checks : [for v in [lookup(o.v, "headers", null)] : [for k, e in v : "${o.at}.headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_test_traffic_wrong_24                           = flatten([for o in local._validate_test_traffic_http_checks : [for v in [lookup(o.v, "secret_headers", null)] : [for k, e in v : "${o.at}.secret_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_test_traffic_wrong_25                           = flatten([for o in local._validate_test_traffic_http_checks : [for v in [lookup(o.v, "status", null)] : [for k, e in [for e in v : e] : "${o.at}.status[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_test_traffic_wrong_26                           = [for o in local._validate_test_traffic_flows_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_test_traffic_wrong_27                           = flatten([for o in local._validate_test_traffic_flows : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["severity"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_test_traffic_wrong_28                           = flatten([for o in local._validate_test_traffic_flows : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["repeat"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_test_traffic_wrong_29                           = flatten([for o in local._validate_test_traffic_flows : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["steps"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_test_traffic_wrong_30                           = [for o in local._validate_test_traffic_thresholds_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_test_traffic_wrong_31                           = flatten([for o in local._validate_test_traffic_thresholds : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["error_rate", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_test_traffic_wrong_32                           = [for o in local._validate_test_traffic_smoke_test_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_test_traffic_wrong_33                           = flatten([for o in local._validate_test_traffic_smoke_test : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["container", "launch", "task_definition"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_test_traffic_wrong_34                           = flatten([for o in local._validate_test_traffic_smoke_test : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["assign_public_ip"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_test_traffic_wrong_35                           = flatten([for o in local._validate_test_traffic_smoke_test : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["cpu", "memory", "log_lines", "timeout"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_test_traffic_wrong_36                           = flatten([for o in local._validate_test_traffic_smoke_test : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["environment"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_test_traffic_wrong_37                           = flatten([for o in local._validate_test_traffic_smoke_test : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["subnets", "security_groups", "pass_role_arns", "command"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_test_traffic_wrong_38                           = flatten([for o in local._validate_test_traffic_smoke_test : [for v in [lookup(o.v, "environment", null)] : [for k, e in v : "${o.at}.environment${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_test_traffic_wrong_39                           = flatten([for o in local._validate_test_traffic_smoke_test : [for v in [lookup(o.v, "subnets", null)] : [for k, e in [for e in v : e] : "${o.at}.subnets[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_test_traffic_wrong_40                           = flatten([for o in local._validate_test_traffic_smoke_test : [for v in [lookup(o.v, "security_groups", null)] : [for k, e in [for e in v : e] : "${o.at}.security_groups[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_test_traffic_wrong_41                           = flatten([for o in local._validate_test_traffic_smoke_test : [for v in [lookup(o.v, "pass_role_arns", null)] : [for k, e in [for e in v : e] : "${o.at}.pass_role_arns[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_test_traffic_wrong_42                           = flatten([for o in local._validate_test_traffic_smoke_test : [for v in [lookup(o.v, "command", null)] : [for k, e in [for e in v : e] : "${o.at}.command[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_test_traffic_wrong_43                           = [for o in local._validate_test_traffic_http_checks_response_headers_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_test_traffic_wrong_44                           = flatten([for o in local._validate_test_traffic_http_checks_response_headers : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["equals", "matches"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_test_traffic_wrong_45                           = flatten([for o in local._validate_test_traffic_http_checks_response_headers : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["absent"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_test_traffic_wrong_46                           = [for o in local._validate_test_traffic_http_checks_jmespath_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_test_traffic_wrong_47                           = flatten([for o in local._validate_test_traffic_http_checks_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["equals"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_test_traffic_wrong_48                           = flatten([for o in local._validate_test_traffic_http_checks_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["exists"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_test_traffic_wrong_49                           = flatten([for o in local._validate_test_traffic_http_checks_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["at_least", "at_most", "length"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_test_traffic_wrong_50                           = flatten([for o in local._validate_test_traffic_http_checks_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["one_of"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_test_traffic_wrong_51                           = flatten([for o in local._validate_test_traffic_http_checks_jmespath : [for v in [lookup(o.v, "one_of", null)] : [for k, e in [for e in v : e] : "${o.at}.one_of[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_test_traffic_wrong_52                           = [for o in local._validate_test_traffic_flows_steps_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_test_traffic_wrong_53                           = flatten([for o in local._validate_test_traffic_flows_steps : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["path", "url", "method", "host", "body", "json", "body_contains", "body_matches", "fail_if_body_matches", "name"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_test_traffic_wrong_54                           = flatten([for o in local._validate_test_traffic_flows_steps : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["follow_redirects", "verify_tls", "always"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_test_traffic_wrong_55                           = flatten([for o in local._validate_test_traffic_flows_steps : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["timeout", "max_body", "max_latency_ms", "interval", "attempts", "consecutive_successes", "consecutive_error_limit"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_test_traffic_wrong_56                           = flatten([for o in local._validate_test_traffic_flows_steps : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["headers", "secret_headers", "response_headers", "jmespath", "save"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_test_traffic_wrong_57                           = flatten([for o in local._validate_test_traffic_flows_steps : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["status"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_test_traffic_wrong_58                           = flatten([for o in local._validate_test_traffic_flows_steps : [for v in [lookup(o.v, "headers", null)] : [for k, e in v : "${o.at}.headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_test_traffic_wrong_59                           = flatten([for o in local._validate_test_traffic_flows_steps : [for v in [lookup(o.v, "secret_headers", null)] : [for k, e in v : "${o.at}.secret_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_test_traffic_wrong_60                           = flatten([for o in local._validate_test_traffic_flows_steps : [for v in [lookup(o.v, "status", null)] : [for k, e in [for e in v : e] : "${o.at}.status[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_test_traffic_wrong_61                           = flatten([for o in local._validate_test_traffic_flows_steps : [for v in [lookup(o.v, "save", null)] : [for k, e in v : "${o.at}.save${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_test_traffic_wrong_62                           = [for o in local._validate_test_traffic_flows_steps_response_headers_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_test_traffic_wrong_63                           = flatten([for o in local._validate_test_traffic_flows_steps_response_headers : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["equals", "matches"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_test_traffic_wrong_64                           = flatten([for o in local._validate_test_traffic_flows_steps_response_headers : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["absent"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_test_traffic_wrong_65                           = [for o in local._validate_test_traffic_flows_steps_jmespath_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_test_traffic_wrong_66                           = flatten([for o in local._validate_test_traffic_flows_steps_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["equals"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_test_traffic_wrong_67                           = flatten([for o in local._validate_test_traffic_flows_steps_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["exists"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_test_traffic_wrong_68                           = flatten([for o in local._validate_test_traffic_flows_steps_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["at_least", "at_most", "length"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_test_traffic_wrong_69                           = flatten([for o in local._validate_test_traffic_flows_steps_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["one_of"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_test_traffic_wrong_70                           = flatten([for o in local._validate_test_traffic_flows_steps_jmespath : [for v in [lookup(o.v, "one_of", null)] : [for k, e in [for e in v : e] : "${o.at}.one_of[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
}

output "validate_test_traffic" {
  description = "Options of validate_test_traffic, all of them known"
  value       = var.validate_test_traffic

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_0)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_0))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_1)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_1))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_2)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_2))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_3)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_3))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_4)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_4))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_5)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_5))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_6)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_6))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_7)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_7))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_8)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_8))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_9)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_9))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_10)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_10))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_11)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_11))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_12)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_12))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_13)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_13))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_14)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_14))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_15)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_15))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_16)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_16))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_17)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_17))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_18)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_18))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_19)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_19))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_20)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_20))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_21)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_21))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_22)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_22))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_23)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_23))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_24)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_24))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_25)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_25))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_26)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_26))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_27)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_27))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_28)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_28))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_29)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_29))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_30)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_30))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_31)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_31))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_32)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_32))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_33)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_33))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_34)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_34))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_35)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_35))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_36)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_36))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_37)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_37))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_38)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_38))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_39)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_39))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_40)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_40))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_41)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_41))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_42)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_42))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_43)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_43))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_44)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_44))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_45)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_45))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_46)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_46))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_47)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_47))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_48)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_48))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_49)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_49))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_50)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_50))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_51)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_51))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_52)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_52))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_53)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_53))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_54)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_54))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_55)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_55))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_56)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_56))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_57)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_57))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_58)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_58))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_59)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_59))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_60)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_60))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_61)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_61))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_62)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_62))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_63)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_63))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_64)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_64))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_65)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_65))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_66)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_66))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_67)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_67))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_68)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_68))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_69)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_69))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_test_traffic_wrong_70)) == 0
    error_message = join("\n", nonsensitive(local._validate_test_traffic_wrong_70))
  }
}

variable "run_migrations" {
  description = "Options of run_migrations, as they were typed"
  type        = any
  default     = {}
  nullable    = false
}

locals {
  _run_migrations_found    = [{ at = "run_migrations", v = var.run_migrations }]
  _run_migrations          = [for o in local._run_migrations_found : o if can(length([keys(o.v)]))]
  _run_migrations_wrong_0  = flatten([for o in local._run_migrations : [for k in keys(o.v) : "${o.at} has no option ${k}; it has checks, container, environment, cpu, memory, subnets, security_groups, assign_public_ip, launch, log_lines, pass_role_arns, preset, command, verify_schema_command, verify_data_command, rollback_command, lock_timeout, statement_timeout, timeout, max_duration, concurrent, retry_interrupted, interval, on_rollback_deployment" if !contains(["checks", "container", "environment", "cpu", "memory", "subnets", "security_groups", "assign_public_ip", "launch", "log_lines", "pass_role_arns", "preset", "command", "verify_schema_command", "verify_data_command", "rollback_command", "lock_timeout", "statement_timeout", "timeout", "max_duration", "concurrent", "retry_interrupted", "interval", "on_rollback_deployment"], k)]])
  _run_migrations_wrong_1  = [for o in local._run_migrations_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _run_migrations_wrong_2  = flatten([for o in local._run_migrations : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["container", "launch", "preset", "concurrent", "on_rollback_deployment"], k) && !can(length([tostring(o.v[k])]))]])
  _run_migrations_wrong_3  = flatten([for o in local._run_migrations : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["assign_public_ip", "retry_interrupted"], k) && !can(length([tobool(o.v[k])]))]])
  _run_migrations_wrong_4  = flatten([for o in local._run_migrations : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["cpu", "memory", "log_lines", "lock_timeout", "statement_timeout", "timeout", "max_duration", "interval"], k) && !can(length([tonumber(o.v[k])]))]])
  _run_migrations_wrong_5  = flatten([for o in local._run_migrations : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["checks", "environment"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _run_migrations_wrong_6  = flatten([for o in local._run_migrations : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["subnets", "security_groups", "pass_role_arns", "command", "verify_schema_command", "verify_data_command", "rollback_command"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _run_migrations_wrong_7  = flatten([for o in local._run_migrations : [for v in [lookup(o.v, "checks", null)] : [for k, e in v : "${o.at}.checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _run_migrations_wrong_8  = flatten([for o in local._run_migrations : [for v in [lookup(o.v, "environment", null)] : [for k, e in v : "${o.at}.environment${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _run_migrations_wrong_9  = flatten([for o in local._run_migrations : [for v in [lookup(o.v, "subnets", null)] : [for k, e in [for e in v : e] : "${o.at}.subnets[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _run_migrations_wrong_10 = flatten([for o in local._run_migrations : [for v in [lookup(o.v, "security_groups", null)] : [for k, e in [for e in v : e] : "${o.at}.security_groups[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _run_migrations_wrong_11 = flatten([for o in local._run_migrations : [for v in [lookup(o.v, "pass_role_arns", null)] : [for k, e in [for e in v : e] : "${o.at}.pass_role_arns[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _run_migrations_wrong_12 = flatten([for o in local._run_migrations : [for v in [lookup(o.v, "command", null)] : [for k, e in [for e in v : e] : "${o.at}.command[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _run_migrations_wrong_13 = flatten([for o in local._run_migrations : [for v in [lookup(o.v, "verify_schema_command", null)] : [for k, e in [for e in v : e] : "${o.at}.verify_schema_command[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _run_migrations_wrong_14 = flatten([for o in local._run_migrations : [for v in [lookup(o.v, "verify_data_command", null)] : [for k, e in [for e in v : e] : "${o.at}.verify_data_command[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _run_migrations_wrong_15 = flatten([for o in local._run_migrations : [for v in [lookup(o.v, "rollback_command", null)] : [for k, e in [for e in v : e] : "${o.at}.rollback_command[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
}

output "run_migrations" {
  description = "Options of run_migrations, all of them known"
  value       = var.run_migrations

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_0)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_0))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_1)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_1))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_2)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_2))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_3)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_3))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_4)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_4))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_5)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_5))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_6)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_6))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_7)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_7))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_8)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_8))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_9)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_9))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_10)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_10))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_11)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_11))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_12)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_12))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_13)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_13))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_14)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_14))
  }

  precondition {
    condition     = length(nonsensitive(local._run_migrations_wrong_15)) == 0
    error_message = join("\n", nonsensitive(local._run_migrations_wrong_15))
  }
}

variable "validate_production" {
  description = "Options of validate_production, as they were typed"
  type        = any
  default     = {}
  nullable    = false
}

locals {
  _validate_production_found                              = [{ at = "validate_production", v = var.validate_production }]
  _validate_production                                    = [for o in local._validate_production_found : o if can(length([keys(o.v)]))]
  _validate_production_http_checks_found                  = flatten([for o in local._validate_production : [for v in [lookup(o.v, "http_checks", null)] : [for k in keys(v) : { at = "${o.at}.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_production_http_checks                        = [for o in local._validate_production_http_checks_found : o if can(length([keys(o.v)]))]
  _validate_production_flows_found                        = flatten([for o in local._validate_production : [for v in [lookup(o.v, "flows", null)] : [for k in keys(v) : { at = "${o.at}.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_production_flows                              = [for o in local._validate_production_flows_found : o if can(length([keys(o.v)]))]
  _validate_production_thresholds_found                   = flatten([for o in local._validate_production : [for v in [lookup(o.v, "thresholds", null)] : { at = "${o.at}.thresholds", v = v } if(can(length([coalesce(v)])) || can(length([upper(v)])))]])
  _validate_production_thresholds                         = [for o in local._validate_production_thresholds_found : o if can(length([keys(o.v)]))]
  _validate_production_smoke_test_found                   = flatten([for o in local._validate_production : [for v in [lookup(o.v, "smoke_test", null)] : { at = "${o.at}.smoke_test", v = v } if(can(length([coalesce(v)])) || can(length([upper(v)])))]])
  _validate_production_smoke_test                         = [for o in local._validate_production_smoke_test_found : o if can(length([keys(o.v)]))]
  _validate_production_baseline_found                     = flatten([for o in local._validate_production : [for v in [lookup(o.v, "baseline", null)] : { at = "${o.at}.baseline", v = v } if(can(length([coalesce(v)])) || can(length([upper(v)])))]])
  _validate_production_baseline                           = [for o in local._validate_production_baseline_found : o if can(length([keys(o.v)]))]
  _validate_production_metrics_found                      = flatten([for o in local._validate_production : [for v in [lookup(o.v, "metrics", null)] : [for k in keys(v) : { at = "${o.at}.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_production_metrics                            = [for o in local._validate_production_metrics_found : o if can(length([keys(o.v)]))]
  _validate_production_load_found                         = flatten([for o in local._validate_production : [for v in [lookup(o.v, "load", null)] : { at = "${o.at}.load", v = v } if(can(length([coalesce(v)])) || can(length([upper(v)])))]])
  _validate_production_load                               = [for o in local._validate_production_load_found : o if can(length([keys(o.v)]))]
  _validate_production_http_checks_response_headers_found = flatten([for o in local._validate_production_http_checks : [for v in [lookup(o.v, "response_headers", null)] : [for k in keys(v) : { at = "${o.at}.response_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_production_http_checks_response_headers       = [for o in local._validate_production_http_checks_response_headers_found : o if can(length([keys(o.v)]))]
  _validate_production_http_checks_jmespath_found         = flatten([for o in local._validate_production_http_checks : [for v in [lookup(o.v, "jmespath", null)] : [for k in keys(v) : { at = "${o.at}.jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_production_http_checks_jmespath               = [for o in local._validate_production_http_checks_jmespath_found : o if can(length([keys(o.v)]))]
  _validate_production_flows_steps_found                  = flatten([for o in local._validate_production_flows : [for v in [lookup(o.v, "steps", null)] : [for k, e in [for e in v : e] : { at = "${o.at}.steps[${k}]", v = e }] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_production_flows_steps                        = [for o in local._validate_production_flows_steps_found : o if can(length([keys(o.v)]))]
  _validate_production_metrics_threshold_range_found      = flatten([for o in local._validate_production_metrics : [for v in [lookup(o.v, "threshold_range", null)] : { at = "${o.at}.threshold_range", v = v } if(can(length([coalesce(v)])) || can(length([upper(v)])))]])
  _validate_production_metrics_threshold_range            = [for o in local._validate_production_metrics_threshold_range_found : o if can(length([keys(o.v)]))]
  _validate_production_flows_steps_response_headers_found = flatten([for o in local._validate_production_flows_steps : [for v in [lookup(o.v, "response_headers", null)] : [for k in keys(v) : { at = "${o.at}.response_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_production_flows_steps_response_headers       = [for o in local._validate_production_flows_steps_response_headers_found : o if can(length([keys(o.v)]))]
  _validate_production_flows_steps_jmespath_found         = flatten([for o in local._validate_production_flows_steps : [for v in [lookup(o.v, "jmespath", null)] : [for k in keys(v) : { at = "${o.at}.jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"}", v = v[k] }] if can(length([keys(v)]))]])
  _validate_production_flows_steps_jmespath               = [for o in local._validate_production_flows_steps_jmespath_found : o if can(length([keys(o.v)]))]
  _validate_production_wrong_0                            = flatten([for o in local._validate_production : [for k in keys(o.v) : "${o.at} has no option ${k}; it has checks, host, headers, http_checks, flows, samples, concurrency, thresholds, smoke_test, initial_delay, duration, interval, max_duration, alarms, insufficient_data, missing_alarms, baseline, no_data, metrics_delay, metrics, load" if !contains(["checks", "host", "headers", "http_checks", "flows", "samples", "concurrency", "thresholds", "smoke_test", "initial_delay", "duration", "interval", "max_duration", "alarms", "insufficient_data", "missing_alarms", "baseline", "no_data", "metrics_delay", "metrics", "load"], k)]])
  _validate_production_wrong_1                            = flatten([for o in local._validate_production_http_checks : [for k in keys(o.v) : "${o.at} has no option ${k}; it has path, url, method, host, headers, secret_headers, body, json, timeout, follow_redirects, verify_tls, max_body, status, body_contains, body_matches, fail_if_body_matches, response_headers, jmespath, max_latency_ms, interval, attempts, consecutive_successes, consecutive_error_limit, initial_delay, severity, samples" if !contains(["path", "url", "method", "host", "headers", "secret_headers", "body", "json", "timeout", "follow_redirects", "verify_tls", "max_body", "status", "body_contains", "body_matches", "fail_if_body_matches", "response_headers", "jmespath", "max_latency_ms", "interval", "attempts", "consecutive_successes", "consecutive_error_limit", "initial_delay", "severity", "samples"], k)]])
  _validate_production_wrong_2                            = flatten([for o in local._validate_production_flows : [for k in keys(o.v) : "${o.at} has no option ${k}; it has steps, severity, repeat" if !contains(["steps", "severity", "repeat"], k)]])
  _validate_production_wrong_3                            = [for o in local._validate_production_flows : "${o.at}.steps is missing; expected a list." if !(can(length([coalesce(lookup(o.v, "steps", null))])) || can(length([upper(lookup(o.v, "steps", null))])))]
  _validate_production_wrong_4                            = flatten([for o in local._validate_production_thresholds : [for k in keys(o.v) : "${o.at} has no option ${k}; it has error_rate, p50_ms, p90_ms, p95_ms, p99_ms, max_ms, unhealthy_hosts, rejected_connections, cpu_percent, memory_percent" if !contains(["error_rate", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", "unhealthy_hosts", "rejected_connections", "cpu_percent", "memory_percent"], k)]])
  _validate_production_wrong_5                            = flatten([for o in local._validate_production_smoke_test : [for k in keys(o.v) : "${o.at} has no option ${k}; it has container, environment, cpu, memory, subnets, security_groups, assign_public_ip, launch, log_lines, pass_role_arns, command, task_definition, timeout" if !contains(["container", "environment", "cpu", "memory", "subnets", "security_groups", "assign_public_ip", "launch", "log_lines", "pass_role_arns", "command", "task_definition", "timeout"], k)]])
  _validate_production_wrong_6                            = flatten([for o in local._validate_production_baseline : [for k in keys(o.v) : "${o.at} has no option ${k}; it has max_worse_percent, tolerance, confidence, noise_ms" if !contains(["max_worse_percent", "tolerance", "confidence", "noise_ms"], k)]])
  _validate_production_wrong_7                            = flatten([for o in local._validate_production_metrics : [for k in keys(o.v) : "${o.at} has no option ${k}; it has namespace, metric_name, dimensions, statistic, period, threshold_range, min_datapoints, failure_limit, no_data, max_worse_percent, direction" if !contains(["namespace", "metric_name", "dimensions", "statistic", "period", "threshold_range", "min_datapoints", "failure_limit", "no_data", "max_worse_percent", "direction"], k)]])
  _validate_production_wrong_8                            = [for o in local._validate_production_metrics : "${o.at}.namespace is missing; expected a namespace." if !(can(length([coalesce(lookup(o.v, "namespace", null))])) || can(length([upper(lookup(o.v, "namespace", null))])))]
  _validate_production_wrong_9                            = [for o in local._validate_production_metrics : "${o.at}.metric_name is missing; expected a metric's name." if !(can(length([coalesce(lookup(o.v, "metric_name", null))])) || can(length([upper(lookup(o.v, "metric_name", null))])))]
  _validate_production_wrong_10                           = flatten([for o in local._validate_production_load : [for k in keys(o.v) : "${o.at} has no option ${k}; it has rate, duration, error_rate, p50_ms, p90_ms, p95_ms, p99_ms, max_ms, path, host, headers, warm_up, concurrency, timeout, status" if !contains(["rate", "duration", "error_rate", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", "path", "host", "headers", "warm_up", "concurrency", "timeout", "status"], k)]])
  _validate_production_wrong_11                           = [for o in local._validate_production_load : "${o.at}.rate is missing; expected requests a second from 0.001 to 10000." if !(can(length([coalesce(lookup(o.v, "rate", null))])) || can(length([upper(lookup(o.v, "rate", null))])))]
  _validate_production_wrong_12                           = [for o in local._validate_production_load : "${o.at}.duration is missing; expected seconds from 0.001 to 600." if !(can(length([coalesce(lookup(o.v, "duration", null))])) || can(length([upper(lookup(o.v, "duration", null))])))]
  _validate_production_wrong_13                           = flatten([for o in local._validate_production_http_checks_response_headers : [for k in keys(o.v) : "${o.at} has no option ${k}; it has equals, matches, absent" if !contains(["equals", "matches", "absent"], k)]])
  _validate_production_wrong_14                           = flatten([for o in local._validate_production_http_checks_jmespath : [for k in keys(o.v) : "${o.at} has no option ${k}; it has equals, one_of, at_least, at_most, exists, length" if !contains(["equals", "one_of", "at_least", "at_most", "exists", "length"], k)]])
  _validate_production_wrong_15                           = flatten([for o in local._validate_production_flows_steps : [for k in keys(o.v) : "${o.at} has no option ${k}; it has path, url, method, host, headers, secret_headers, body, json, timeout, follow_redirects, verify_tls, max_body, status, body_contains, body_matches, fail_if_body_matches, response_headers, jmespath, max_latency_ms, interval, attempts, consecutive_successes, consecutive_error_limit, name, save, always" if !contains(["path", "url", "method", "host", "headers", "secret_headers", "body", "json", "timeout", "follow_redirects", "verify_tls", "max_body", "status", "body_contains", "body_matches", "fail_if_body_matches", "response_headers", "jmespath", "max_latency_ms", "interval", "attempts", "consecutive_successes", "consecutive_error_limit", "name", "save", "always"], k)]])
  _validate_production_wrong_16                           = flatten([for o in local._validate_production_metrics_threshold_range : [for k in keys(o.v) : "${o.at} has no option ${k}; it has min, max" if !contains(["min", "max"], k)]])
  _validate_production_wrong_17                           = flatten([for o in local._validate_production_flows_steps_response_headers : [for k in keys(o.v) : "${o.at} has no option ${k}; it has equals, matches, absent" if !contains(["equals", "matches", "absent"], k)]])
  _validate_production_wrong_18                           = flatten([for o in local._validate_production_flows_steps_jmespath : [for k in keys(o.v) : "${o.at} has no option ${k}; it has equals, one_of, at_least, at_most, exists, length" if !contains(["equals", "one_of", "at_least", "at_most", "exists", "length"], k)]])
  _validate_production_wrong_19                           = [for o in local._validate_production_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_20                           = flatten([for o in local._validate_production : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["host", "insufficient_data", "missing_alarms", "no_data"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_production_wrong_21                           = flatten([for o in local._validate_production : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["samples", "concurrency", "initial_delay", "duration", "interval", "max_duration", "metrics_delay"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_production_wrong_22                           = flatten([for o in local._validate_production : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["checks", "headers", "http_checks", "flows", "alarms", "metrics"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_23                           = flatten([for o in local._validate_production : [for v in [lookup(o.v, "checks", null)] : [for k, e in v : "${o.at}.checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_production_wrong_24                           = flatten([for o in local._validate_production : [for v in [lookup(o.v, "headers", null)] : [for k, e in v : "${o.at}.headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_production_wrong_25                           = flatten([for o in local._validate_production : [for v in [lookup(o.v, "alarms", null)] : [for k, e in v : "${o.at}.alarms${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_production_wrong_26                           = [for o in local._validate_production_http_checks_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_27                           = flatten([for o in local._validate_production_http_checks : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["path", "url", "method", "host", "body", "json", "body_contains", "body_matches", "fail_if_body_matches", "severity"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_production_wrong_28                           = flatten([for o in local._validate_production_http_checks : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["follow_redirects", "verify_tls"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_production_wrong_29                           = flatten([for o in local._validate_production_http_checks : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["timeout", "max_body", "max_latency_ms", "interval", "attempts", "consecutive_successes", "consecutive_error_limit", "initial_delay", "samples"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_production_wrong_30                           = flatten([for o in local._validate_production_http_checks : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["headers", "secret_headers", "response_headers", "jmespath"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_31                           = flatten([for o in local._validate_production_http_checks : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["status"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_32                           = flatten([for o in local._validate_production_http_checks : [for v in [lookup(o.v, "headers", null)] : [for k, e in v : "${o.at}.headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_production_wrong_33                           = flatten([for o in local._validate_production_http_checks : [for v in [lookup(o.v, "secret_headers", null)] : [for k, e in v : "${o.at}.secret_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_production_wrong_34                           = flatten([for o in local._validate_production_http_checks : [for v in [lookup(o.v, "status", null)] : [for k, e in [for e in v : e] : "${o.at}.status[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_production_wrong_35                           = [for o in local._validate_production_flows_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_36                           = flatten([for o in local._validate_production_flows : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["severity"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_production_wrong_37                           = flatten([for o in local._validate_production_flows : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["repeat"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_production_wrong_38                           = flatten([for o in local._validate_production_flows : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["steps"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_39                           = [for o in local._validate_production_thresholds_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_40                           = flatten([for o in local._validate_production_thresholds : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["error_rate", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", "unhealthy_hosts", "rejected_connections", "cpu_percent", "memory_percent"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_production_wrong_41                           = [for o in local._validate_production_smoke_test_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_42                           = flatten([for o in local._validate_production_smoke_test : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["container", "launch", "task_definition"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_production_wrong_43                           = flatten([for o in local._validate_production_smoke_test : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["assign_public_ip"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_production_wrong_44                           = flatten([for o in local._validate_production_smoke_test : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["cpu", "memory", "log_lines", "timeout"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_production_wrong_45                           = flatten([for o in local._validate_production_smoke_test : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["environment"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_46                           = flatten([for o in local._validate_production_smoke_test : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["subnets", "security_groups", "pass_role_arns", "command"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_47                           = flatten([for o in local._validate_production_smoke_test : [for v in [lookup(o.v, "environment", null)] : [for k, e in v : "${o.at}.environment${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_production_wrong_48                           = flatten([for o in local._validate_production_smoke_test : [for v in [lookup(o.v, "subnets", null)] : [for k, e in [for e in v : e] : "${o.at}.subnets[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_production_wrong_49                           = flatten([for o in local._validate_production_smoke_test : [for v in [lookup(o.v, "security_groups", null)] : [for k, e in [for e in v : e] : "${o.at}.security_groups[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_production_wrong_50                           = flatten([for o in local._validate_production_smoke_test : [for v in [lookup(o.v, "pass_role_arns", null)] : [for k, e in [for e in v : e] : "${o.at}.pass_role_arns[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_production_wrong_51                           = flatten([for o in local._validate_production_smoke_test : [for v in [lookup(o.v, "command", null)] : [for k, e in [for e in v : e] : "${o.at}.command[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_production_wrong_52                           = [for o in local._validate_production_baseline_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_53                           = flatten([for o in local._validate_production_baseline : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["max_worse_percent", "tolerance", "confidence", "noise_ms"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_production_wrong_54                           = [for o in local._validate_production_metrics_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_55                           = flatten([for o in local._validate_production_metrics : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["namespace", "metric_name", "statistic", "no_data", "direction"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_production_wrong_56                           = flatten([for o in local._validate_production_metrics : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["period", "min_datapoints", "failure_limit", "max_worse_percent"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_production_wrong_57                           = flatten([for o in local._validate_production_metrics : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["dimensions"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_58                           = flatten([for o in local._validate_production_metrics : [for v in [lookup(o.v, "dimensions", null)] : [for k, e in v : "${o.at}.dimensions${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_production_wrong_59                           = [for o in local._validate_production_load_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_60                           = flatten([for o in local._validate_production_load : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["path", "host"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_production_wrong_61                           = flatten([for o in local._validate_production_load : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["rate", "duration", "error_rate", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", "warm_up", "concurrency", "timeout"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_production_wrong_62                           = flatten([for o in local._validate_production_load : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["headers"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_63                           = flatten([for o in local._validate_production_load : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["status"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_64                           = flatten([for o in local._validate_production_load : [for v in [lookup(o.v, "headers", null)] : [for k, e in v : "${o.at}.headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_production_wrong_65                           = flatten([for o in local._validate_production_load : [for v in [lookup(o.v, "status", null)] : [for k, e in [for e in v : e] : "${o.at}.status[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_production_wrong_66                           = [for o in local._validate_production_http_checks_response_headers_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_67                           = flatten([for o in local._validate_production_http_checks_response_headers : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["equals", "matches"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_production_wrong_68                           = flatten([for o in local._validate_production_http_checks_response_headers : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["absent"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_production_wrong_69                           = [for o in local._validate_production_http_checks_jmespath_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_70                           = flatten([for o in local._validate_production_http_checks_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["equals"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_production_wrong_71                           = flatten([for o in local._validate_production_http_checks_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["exists"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_production_wrong_72                           = flatten([for o in local._validate_production_http_checks_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["at_least", "at_most", "length"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_production_wrong_73                           = flatten([for o in local._validate_production_http_checks_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["one_of"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_74                           = flatten([for o in local._validate_production_http_checks_jmespath : [for v in [lookup(o.v, "one_of", null)] : [for k, e in [for e in v : e] : "${o.at}.one_of[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_production_wrong_75                           = [for o in local._validate_production_flows_steps_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_76                           = flatten([for o in local._validate_production_flows_steps : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["path", "url", "method", "host", "body", "json", "body_contains", "body_matches", "fail_if_body_matches", "name"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_production_wrong_77                           = flatten([for o in local._validate_production_flows_steps : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["follow_redirects", "verify_tls", "always"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_production_wrong_78                           = flatten([for o in local._validate_production_flows_steps : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["timeout", "max_body", "max_latency_ms", "interval", "attempts", "consecutive_successes", "consecutive_error_limit"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_production_wrong_79                           = flatten([for o in local._validate_production_flows_steps : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a map" if contains(["headers", "secret_headers", "response_headers", "jmespath", "save"], k) && !(can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_80                           = flatten([for o in local._validate_production_flows_steps : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["status"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_81                           = flatten([for o in local._validate_production_flows_steps : [for v in [lookup(o.v, "headers", null)] : [for k, e in v : "${o.at}.headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_production_wrong_82                           = flatten([for o in local._validate_production_flows_steps : [for v in [lookup(o.v, "secret_headers", null)] : [for k, e in v : "${o.at}.secret_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_production_wrong_83                           = flatten([for o in local._validate_production_flows_steps : [for v in [lookup(o.v, "status", null)] : [for k, e in [for e in v : e] : "${o.at}.status[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
  _validate_production_wrong_84                           = flatten([for o in local._validate_production_flows_steps : [for v in [lookup(o.v, "save", null)] : [for k, e in v : "${o.at}.save${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k)) ? ".${k}" : "[${jsonencode(k)}]"} is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([keys(v)]))]])
  _validate_production_wrong_85                           = [for o in local._validate_production_metrics_threshold_range_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_86                           = flatten([for o in local._validate_production_metrics_threshold_range : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["min", "max"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_production_wrong_87                           = [for o in local._validate_production_flows_steps_response_headers_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_88                           = flatten([for o in local._validate_production_flows_steps_response_headers : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["equals", "matches"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_production_wrong_89                           = flatten([for o in local._validate_production_flows_steps_response_headers : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["absent"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_production_wrong_90                           = [for o in local._validate_production_flows_steps_jmespath_found : "${o.at} is ${can(length([keys(o.v)])) ? "a map" : can(length([upper(o.v)])) ? "a single value" : can(length([coalesce(o.v)])) ? "a list" : "null"}, expected a map of options" if !can(length([keys(o.v)]))]
  _validate_production_wrong_91                           = flatten([for o in local._validate_production_flows_steps_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected text" if contains(["equals"], k) && !can(length([tostring(o.v[k])]))]])
  _validate_production_wrong_92                           = flatten([for o in local._validate_production_flows_steps_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected true or false" if contains(["exists"], k) && !can(length([tobool(o.v[k])]))]])
  _validate_production_wrong_93                           = flatten([for o in local._validate_production_flows_steps_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a number" if contains(["at_least", "at_most", "length"], k) && !can(length([tonumber(o.v[k])]))]])
  _validate_production_wrong_94                           = flatten([for o in local._validate_production_flows_steps_jmespath : [for k in keys(o.v) : "${o.at}.${k} is ${can(length([keys(o.v[k])])) ? "a map" : can(length([upper(o.v[k])])) ? "a single value" : can(length([coalesce(o.v[k])])) ? "a list" : "null"}, expected a list" if contains(["one_of"], k) && !(can(length([for e in o.v[k] : 0])) && !can(length([keys(o.v[k])]))) && (can(length([coalesce(o.v[k])])) || can(length([upper(o.v[k])])))]])
  _validate_production_wrong_95                           = flatten([for o in local._validate_production_flows_steps_jmespath : [for v in [lookup(o.v, "one_of", null)] : [for k, e in [for e in v : e] : "${o.at}.one_of[${k}] is ${can(length([keys(e)])) ? "a map" : can(length([upper(e)])) ? "a single value" : can(length([coalesce(e)])) ? "a list" : "null"}, expected text" if !can(length([upper(e)]))] if can(length([for e in v : 0])) && !can(length([keys(v)]))]])
}

output "validate_production" {
  description = "Options of validate_production, all of them known"
  value       = var.validate_production

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_0)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_0))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_1)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_1))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_2)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_2))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_3)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_3))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_4)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_4))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_5)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_5))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_6)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_6))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_7)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_7))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_8)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_8))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_9)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_9))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_10)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_10))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_11)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_11))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_12)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_12))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_13)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_13))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_14)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_14))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_15)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_15))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_16)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_16))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_17)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_17))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_18)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_18))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_19)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_19))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_20)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_20))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_21)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_21))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_22)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_22))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_23)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_23))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_24)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_24))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_25)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_25))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_26)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_26))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_27)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_27))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_28)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_28))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_29)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_29))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_30)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_30))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_31)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_31))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_32)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_32))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_33)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_33))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_34)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_34))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_35)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_35))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_36)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_36))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_37)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_37))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_38)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_38))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_39)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_39))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_40)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_40))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_41)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_41))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_42)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_42))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_43)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_43))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_44)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_44))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_45)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_45))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_46)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_46))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_47)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_47))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_48)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_48))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_49)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_49))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_50)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_50))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_51)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_51))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_52)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_52))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_53)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_53))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_54)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_54))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_55)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_55))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_56)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_56))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_57)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_57))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_58)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_58))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_59)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_59))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_60)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_60))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_61)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_61))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_62)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_62))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_63)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_63))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_64)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_64))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_65)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_65))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_66)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_66))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_67)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_67))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_68)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_68))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_69)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_69))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_70)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_70))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_71)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_71))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_72)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_72))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_73)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_73))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_74)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_74))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_75)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_75))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_76)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_76))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_77)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_77))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_78)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_78))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_79)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_79))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_80)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_80))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_81)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_81))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_82)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_82))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_83)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_83))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_84)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_84))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_85)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_85))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_86)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_86))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_87)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_87))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_88)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_88))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_89)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_89))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_90)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_90))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_91)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_91))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_92)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_92))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_93)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_93))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_94)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_94))
  }

  precondition {
    condition     = length(nonsensitive(local._validate_production_wrong_95)) == 0
    error_message = join("\n", nonsensitive(local._validate_production_wrong_95))
  }
}
