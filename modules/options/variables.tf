# Written by "make options" from lambdas/gate/options/. Change it there.

variable "validate_before_install" {
  description = <<-EOT
    Options of the BeforeInstall hook.
    - `checks`: severity by the name of a check: `"fail"`, `"warn"` (report, but pass) or `"skip"` (default {})
  EOT
  type = object({
    checks = optional(map(string), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for k1, v1 in var.validate_before_install.checks : nonsensitive(contains(["fail", "warn", "skip"], v1))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_before_install.checks : "validate_before_install.checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"} is ${issensitive(var.validate_before_install.checks) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected \"fail\", \"warn\" or \"skip\"." if !nonsensitive(contains(["fail", "warn", "skip"], v1))]))
  }
}

variable "validate_deployment" {
  description = <<-EOT
    Options of the AfterInstall hook.
    - `checks`: severity by the name of a check: `"fail"`, `"warn"` (report, but pass) or `"skip"` (default {})
    - `expected_count`: tasks that must run at least; null: the task set's own desired count (default null)
    - `interval`: seconds between two looks (default 3)
    - `consecutive_successes`: good looks in a row that are needed (default 3)
  EOT
  type = object({
    checks                = optional(map(string), {})
    expected_count        = optional(number)
    interval              = optional(number, 3)
    consecutive_successes = optional(number, 3)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for k1, v1 in var.validate_deployment.checks : nonsensitive(contains(["fail", "warn", "skip"], v1))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_deployment.checks : "validate_deployment.checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"} is ${issensitive(var.validate_deployment.checks) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected \"fail\", \"warn\" or \"skip\"." if !nonsensitive(contains(["fail", "warn", "skip"], v1))]))
  }

  validation {
    condition     = var.validate_deployment.expected_count == null ? true : var.validate_deployment.expected_count >= 1 && var.validate_deployment.expected_count <= 100000 && floor(var.validate_deployment.expected_count) == var.validate_deployment.expected_count
    error_message = nonsensitive("validate_deployment.expected_count is ${issensitive(var.validate_deployment.expected_count) ? "a sensitive value" : jsonencode(var.validate_deployment.expected_count)}; expected a whole number from 1 to 100000, or null.")
  }

  validation {
    condition     = var.validate_deployment.interval >= 0.001 && var.validate_deployment.interval <= 60
    error_message = nonsensitive("validate_deployment.interval is ${issensitive(var.validate_deployment.interval) ? "a sensitive value" : jsonencode(var.validate_deployment.interval)}; expected seconds from 0.001 to 60.")
  }

  validation {
    condition     = var.validate_deployment.consecutive_successes >= 1 && var.validate_deployment.consecutive_successes <= 100 && floor(var.validate_deployment.consecutive_successes) == var.validate_deployment.consecutive_successes
    error_message = nonsensitive("validate_deployment.consecutive_successes is ${issensitive(var.validate_deployment.consecutive_successes) ? "a sensitive value" : jsonencode(var.validate_deployment.consecutive_successes)}; expected a whole number from 1 to 100.")
  }
}

variable "validate_test_traffic" {
  description = <<-EOT
    Options of the AfterAllowTestTraffic hook.
    - `checks`: severity by the name of a check: `"fail"`, `"warn"` (report, but pass) or `"skip"` (default {})
    - `host`: Host header and TLS server name of all requests; null: the name in the address (default null)
    - `headers`: headers of all requests; a request's own come first (default {})
    - `http_checks`: HTTP checks by name; none: a GET of the target group's own health check path (default {})
      - `path`: path and query (default "/")
      - `url`: whole address, elsewhere than the hook's listener; the path is part of it (default null)
      - `method`: method of the request (default "GET")
      - `host`: Host header and TLS server name; null: the hook's `host` (default null)
      - `headers`: further headers of the request; no place for secrets (default {})
      - `secret_headers`: header → ARN of the Secrets Manager secret or SSM parameter that holds its value. A word may
        stand before it (`"Bearer arn:…"`); `:<json-key>` after a secret's ARN takes one value of its JSON. Only the
        function reads it; a KMS key of your own needs `policy_documents` too. Not together with `follow_redirects`
        (default {})
      - `body`: body of the request; no place for secrets (default null)
      - `json`: body as JSON text (`jsonencode(…)`), sent as application/json (default null)
      - `timeout`: seconds for one request (default 5)
      - `follow_redirects`: whether redirects are followed (default false)
      - `verify_tls`: whether the certificate has to be valid for the host (default true)
      - `max_body`: bytes of the answer that are read (default 1000000)
      - `status`: accepted statuses: codes `"200"`, ranges `"200-399"`, classes `"2xx"` (default ["200-299"])
      - `body_contains`: text that the body contains (default null)
      - `body_matches`: regular expression (Python's) that the body matches somewhere (default null)
      - `fail_if_body_matches`: regular expression that the body must match nowhere (default null)
      - `response_headers`: header of the answer → what it has to be (default {})
        - `equals`: value that it has, in which `{image_tag}`, `{revision}` and what a flow saved may stand (default
          null)
        - `matches`: regular expression (Python's) that it matches somewhere (default null)
        - `absent`: whether there has to be none; false: there has to be one, whatever it is (default null)
      - `jmespath`: JMESPath expression, as in `aws --query` → what its value in the answer's JSON has to be (default
        {})
        - `equals`: text that it equals; a number, true, false or an object as JSON text. `{image_tag}` stands for the
          tag of the new task definition's image, `{revision}` for its revision: proof that green answered, not blue
          (default null)
        - `one_of`: texts of which it equals one (default null)
        - `at_least`: least number (default null)
        - `at_most`: greatest number (default null)
        - `exists`: whether there is a value; null is none (default null)
        - `length`: entries of a list, keys of an object or characters of a text (default null)
      - `max_latency_ms`: slowest answer that passes, in milliseconds; null: not looked at (default null)
      - `interval`: seconds between two attempts (default 1)
      - `attempts`: tries before the request fails (default 3)
      - `consecutive_successes`: good answers in a row that are needed (default 1)
      - `consecutive_error_limit`: requests in a row without any answer that are borne (Argo Rollouts' word and number)
        (default 4)
      - `initial_delay`: seconds before the first attempt (default 0)
      - `severity`: what a failure does; the hook's `checks` comes first (default "fail")
      - `samples`: how often it is sent to be measured; null: as the hook's `samples` for GET, HEAD and OPTIONS, else
        not at all (default null)
    - `flows`: flows by name: requests one after the other (default {})
      - `steps`: the requests, one at least (required)
        - `path`: path and query (default "/")
        - `url`: whole address, elsewhere than the hook's listener; the path is part of it (default null)
        - `method`: method of the request (default "GET")
        - `host`: Host header and TLS server name; null: the hook's `host` (default null)
        - `headers`: further headers of the request; no place for secrets (default {})
        - `secret_headers`: header → ARN of the Secrets Manager secret or SSM parameter that holds its value. A word may
          stand before it (`"Bearer arn:…"`); `:<json-key>` after a secret's ARN takes one value of its JSON. Only the
          function reads it; a KMS key of your own needs `policy_documents` too. Not together with `follow_redirects`
          (default {})
        - `body`: body of the request; no place for secrets (default null)
        - `json`: body as JSON text (`jsonencode(…)`), sent as application/json (default null)
        - `timeout`: seconds for one request (default 5)
        - `follow_redirects`: whether redirects are followed (default false)
        - `verify_tls`: whether the certificate has to be valid for the host (default true)
        - `max_body`: bytes of the answer that are read (default 1000000)
        - `status`: accepted statuses: codes `"200"`, ranges `"200-399"`, classes `"2xx"` (default ["200-299"])
        - `body_contains`: text that the body contains (default null)
        - `body_matches`: regular expression (Python's) that the body matches somewhere (default null)
        - `fail_if_body_matches`: regular expression that the body must match nowhere (default null)
        - `response_headers`: header of the answer → what it has to be (default {})
          - `equals`: value that it has, in which `{image_tag}`, `{revision}` and what a flow saved may stand (default
            null)
          - `matches`: regular expression (Python's) that it matches somewhere (default null)
          - `absent`: whether there has to be none; false: there has to be one, whatever it is (default null)
        - `jmespath`: JMESPath expression, as in `aws --query` → what its value in the answer's JSON has to be (default
          {})
          - `equals`: text that it equals; a number, true, false or an object as JSON text. `{image_tag}` stands for the
            tag of the new task definition's image, `{revision}` for its revision: proof that green answered, not blue
            (default null)
          - `one_of`: texts of which it equals one (default null)
          - `at_least`: least number (default null)
          - `at_most`: greatest number (default null)
          - `exists`: whether there is a value; null is none (default null)
          - `length`: entries of a list, keys of an object or characters of a text (default null)
        - `max_latency_ms`: slowest answer that passes, in milliseconds; null: not looked at (default null)
        - `interval`: seconds between two attempts (default 1)
        - `attempts`: tries before the request fails (default 1)
        - `consecutive_successes`: good answers in a row that are needed (default 1)
        - `consecutive_error_limit`: requests in a row without any answer that are borne (Argo Rollouts' word and
          number) (default 4)
        - `name`: what messages call it; null: `step 1`, … (default null)
        - `save`: name → JMESPath expression of the answer, or `header:<name>`. Later steps use it as `{name}` in
          `path`, `url`, `headers`, `body`, `json`, `response_headers` and values of `jmespath` (default {})
        - `always`: whether it is sent even if an earlier step failed, as long as what it needs was saved: for cleaning
          up (default false)
      - `severity`: what a failure does; the hook's `checks` comes first (default "fail")
      - `repeat`: whether the bake after the shift repeats it at each `interval` (default false)
    - `samples`: requests of each HTTP check that error rate and latencies are computed from, after some that warm green
      up and are not judged; 0: none (default 20)
    - `concurrency`: samples under way at a time; each of these hands sends one in 0.2 seconds at most (default 1)
    - `thresholds`: limits of the samples (default {})
      - `error_rate`: highest share of errors, 0 to 1; null means the default (default 0.01)
      - `p50_ms`: highest median latency in milliseconds; null: not looked at (default null)
      - `p90_ms`: highest P90 in milliseconds; null: not looked at (default null)
      - `p95_ms`: highest P95 in milliseconds; null: not looked at (default null)
      - `p99_ms`: highest P99 in milliseconds; null: not looked at (default null)
      - `max_ms`: slowest answer in milliseconds; null: not looked at (default null)
    - `smoke_test`: a test of your own as a one-off ECS task, after the requests; null: none (default null)
      - `container`: container to run in; null: the only one of the task definition, or else the one behind the load
        balancer (default null)
      - `environment`: further environment variables of the container; no place for secrets: those come from the task
        definition (default {})
      - `cpu`: CPU units of the tasks (1024 are one vCPU); null: as the task definition says (default null)
      - `memory`: MiB of the tasks; null: as the task definition says (default null)
      - `subnets`: the tasks' subnets; null: the service's (default null)
      - `security_groups`: the tasks' security groups; null: the service's (default null)
      - `assign_public_ip`: whether the tasks get public addresses; null: as the service's (default null)
      - `launch`: launch type (`"FARGATE"`, `"EC2"` or `"EXTERNAL"`) or a capacity provider's name, such as
        `"FARGATE_SPOT"`; null: as the service's tasks (default null)
      - `log_lines`: last lines of the container's log in the message (default 20)
      - `pass_role_arns`: roles of the task definition (task role, execution role) that the function's own role may
        pass; null: any of the account, or those of the module's `task_definition_family` (default null)
      - `command`: the test, as words: `["pytest", "tests/smoke"]`; null: what the task definition named here runs by
        itself (default null)
      - `task_definition`: task definition that holds the test, as family, `family:revision` or ARN; null: the one that
        is deployed (default null)
      - `timeout`: seconds after which it is stopped, and has failed (default 300)
    - `base_url`: where green answers; null: the load balancer's DNS name and the test listener's port (default null)
    - `interval`: seconds between two looks while waiting for the test listener (default 2)
  EOT
  type = object({
    checks  = optional(map(string), {})
    host    = optional(string)
    headers = optional(map(string), {})
    http_checks = optional(map(object({
      path                 = optional(string, "/")
      url                  = optional(string)
      method               = optional(string, "GET")
      host                 = optional(string)
      headers              = optional(map(string), {})
      secret_headers       = optional(map(string), {})
      body                 = optional(string)
      json                 = optional(string)
      timeout              = optional(number, 5)
      follow_redirects     = optional(bool, false)
      verify_tls           = optional(bool, true)
      max_body             = optional(number, 1000000)
      status               = optional(list(string), ["200-299"])
      body_contains        = optional(string)
      body_matches         = optional(string)
      fail_if_body_matches = optional(string)
      response_headers = optional(map(object({
        equals  = optional(string)
        matches = optional(string)
        absent  = optional(bool)
      })), {})
      jmespath = optional(map(object({
        equals   = optional(string)
        one_of   = optional(list(string))
        at_least = optional(number)
        at_most  = optional(number)
        exists   = optional(bool)
        length   = optional(number)
      })), {})
      max_latency_ms          = optional(number)
      interval                = optional(number, 1)
      attempts                = optional(number, 3)
      consecutive_successes   = optional(number, 1)
      consecutive_error_limit = optional(number, 4)
      initial_delay           = optional(number, 0)
      severity                = optional(string, "fail")
      samples                 = optional(number)
    })), {})
    flows = optional(map(object({
      steps = list(object({
        path                 = optional(string, "/")
        url                  = optional(string)
        method               = optional(string, "GET")
        host                 = optional(string)
        headers              = optional(map(string), {})
        secret_headers       = optional(map(string), {})
        body                 = optional(string)
        json                 = optional(string)
        timeout              = optional(number, 5)
        follow_redirects     = optional(bool, false)
        verify_tls           = optional(bool, true)
        max_body             = optional(number, 1000000)
        status               = optional(list(string), ["200-299"])
        body_contains        = optional(string)
        body_matches         = optional(string)
        fail_if_body_matches = optional(string)
        response_headers = optional(map(object({
          equals  = optional(string)
          matches = optional(string)
          absent  = optional(bool)
        })), {})
        jmespath = optional(map(object({
          equals   = optional(string)
          one_of   = optional(list(string))
          at_least = optional(number)
          at_most  = optional(number)
          exists   = optional(bool)
          length   = optional(number)
        })), {})
        max_latency_ms          = optional(number)
        interval                = optional(number, 1)
        attempts                = optional(number, 1)
        consecutive_successes   = optional(number, 1)
        consecutive_error_limit = optional(number, 4)
        name                    = optional(string)
        save                    = optional(map(string), {})
        always                  = optional(bool, false)
      }))
      severity = optional(string, "fail")
      repeat   = optional(bool, false)
    })), {})
    samples     = optional(number, 20)
    concurrency = optional(number, 1)
    thresholds = optional(object({
      error_rate = optional(number, 0.01)
      p50_ms     = optional(number)
      p90_ms     = optional(number)
      p95_ms     = optional(number)
      p99_ms     = optional(number)
      max_ms     = optional(number)
    }), {})
    smoke_test = optional(object({
      container        = optional(string)
      environment      = optional(map(string), {})
      cpu              = optional(number)
      memory           = optional(number)
      subnets          = optional(list(string))
      security_groups  = optional(list(string))
      assign_public_ip = optional(bool)
      launch           = optional(string)
      log_lines        = optional(number, 20)
      pass_role_arns   = optional(list(string))
      command          = optional(list(string))
      task_definition  = optional(string)
      timeout          = optional(number, 300)
    }))
    base_url = optional(string)
    interval = optional(number, 2)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.checks : nonsensitive(contains(["fail", "warn", "skip"], v1))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.checks : "validate_test_traffic.checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"} is ${issensitive(var.validate_test_traffic.checks) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected \"fail\", \"warn\" or \"skip\"." if !nonsensitive(contains(["fail", "warn", "skip"], v1))]))
  }

  validation {
    condition     = var.validate_test_traffic.host == null ? true : can(regex("^(?:[A-Za-z0-9.:_-]+)$", var.validate_test_traffic.host))
    error_message = nonsensitive("validate_test_traffic.host is ${issensitive(var.validate_test_traffic.host) ? "a sensitive value" : jsonencode(var.validate_test_traffic.host)}; expected a host name such as \"www.example.com\", or null.")
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.headers : "validate_test_traffic.headers has a key of ${length(k1)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k1))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k1)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.headers : nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.headers : "validate_test_traffic.headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"} is ${issensitive(var.validate_test_traffic.headers) || issensitive(v1) ? "a sensitive value" : "a text of ${length(v1)} characters"}; expected a header's value: text without line breaks and control characters that begins with no space." if !nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v1)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(can(regex("^(?:[^:\\x00-\\x20\\x7f-\\xa0]{1,64})$", k1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks has the key ${jsonencode(k1)}; expected a name of up to 64 printable characters, without spaces and colons." if !nonsensitive(can(regex("^(?:[^:\\x00-\\x20\\x7f-\\xa0]{1,64})$", k1)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.flows : nonsensitive(can(regex("^(?:[^:\\x00-\\x20\\x7f-\\xa0]{1,64})$", k1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.flows : "validate_test_traffic.flows has the key ${jsonencode(k1)}; expected a name of up to 64 printable characters, without spaces and colons." if !nonsensitive(can(regex("^(?:[^:\\x00-\\x20\\x7f-\\xa0]{1,64})$", k1)))]))
  }

  validation {
    condition     = var.validate_test_traffic.samples >= 0 && var.validate_test_traffic.samples <= 10000 && floor(var.validate_test_traffic.samples) == var.validate_test_traffic.samples
    error_message = nonsensitive("validate_test_traffic.samples is ${issensitive(var.validate_test_traffic.samples) ? "a sensitive value" : jsonencode(var.validate_test_traffic.samples)}; expected a whole number from 0 to 10000.")
  }

  validation {
    condition     = var.validate_test_traffic.concurrency >= 1 && var.validate_test_traffic.concurrency <= 64 && floor(var.validate_test_traffic.concurrency) == var.validate_test_traffic.concurrency
    error_message = nonsensitive("validate_test_traffic.concurrency is ${issensitive(var.validate_test_traffic.concurrency) ? "a sensitive value" : jsonencode(var.validate_test_traffic.concurrency)}; expected a whole number from 1 to 64.")
  }

  validation {
    condition     = lookup(var.validate_test_traffic, "base_url", null) == null ? true : can(regex("^(?:[Hh][Tt][Tt][Pp][Ss]?://[^/?# \\x00-\\x1f\\x7f]+(/[^?# \\x00-\\x1f\\x7f]*)?)$", lookup(var.validate_test_traffic, "base_url", null)))
    error_message = nonsensitive("validate_test_traffic.base_url is ${issensitive(lookup(var.validate_test_traffic, "base_url", null)) ? "a sensitive value" : can(regex("[?#@]", lookup(var.validate_test_traffic, "base_url", null))) ? "an address of ${length(lookup(var.validate_test_traffic, "base_url", null))} characters" : jsonencode(lookup(var.validate_test_traffic, "base_url", null))}; expected an address such as \"https://test.example.com:8443\", without a query, or null.")
  }

  validation {
    condition     = var.validate_test_traffic.interval >= 0.001 && var.validate_test_traffic.interval <= 60
    error_message = nonsensitive("validate_test_traffic.interval is ${issensitive(var.validate_test_traffic.interval) ? "a sensitive value" : jsonencode(var.validate_test_traffic.interval)}; expected seconds from 0.001 to 60.")
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(can(regex("^(?:/[!-~]*)$", v1.path)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.path is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.path) ? "a sensitive value" : can(regex("[?#@]", v1.path)) ? "an address of ${length(v1.path)} characters" : jsonencode(v1.path)}; expected a path and query that begin with \"/\", printable and without spaces. A whole address goes into url." if !nonsensitive(can(regex("^(?:/[!-~]*)$", v1.path)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(v1.url == null ? true : can(regex("^(?:[Hh][Tt][Tt][Pp][Ss]?://[!$-.0->@-~][!-~]*)$", v1.url)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.url is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.url) ? "a sensitive value" : can(regex("[?#@]", v1.url)) ? "an address of ${length(v1.url)} characters" : jsonencode(v1.url)}; expected an address such as \"https://www.example.com/health\", or null." if !nonsensitive(v1.url == null ? true : can(regex("^(?:[Hh][Tt][Tt][Pp][Ss]?://[!$-.0->@-~][!-~]*)$", v1.url)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(contains(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], v1.method))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.method is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.method) ? "a sensitive value" : jsonencode(v1.method)}; expected \"GET\", \"HEAD\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\" or \"OPTIONS\"." if !nonsensitive(contains(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], v1.method))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(v1.host == null ? true : can(regex("^(?:[A-Za-z0-9.:_-]+)$", v1.host)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.host is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.host) ? "a sensitive value" : jsonencode(v1.host)}; expected a host name such as \"www.example.com\", or null." if !nonsensitive(v1.host == null ? true : can(regex("^(?:[A-Za-z0-9.:_-]+)$", v1.host)))]))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.headers : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.headers has a key of ${length(k2)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k2))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.headers : nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.headers : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"} is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.headers) || issensitive(v2) ? "a sensitive value" : "a text of ${length(v2)} characters"}; expected a header's value: text without line breaks and control characters that begins with no space." if !nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v2)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.secret_headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.secret_headers : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.secret_headers has a key of ${length(k2)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k2))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.secret_headers : nonsensitive(can(regex("^(?:([!-~]+ )?arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(:[^:]+)?|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+))$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.secret_headers : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.secret_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"} is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.secret_headers) || issensitive(v2) ? "a sensitive value" : "a text of ${length(v2)} characters"}; expected the ARN of a Secrets Manager secret or SSM parameter, alone or after one word (\"Bearer arn:\u2026\"). The value itself belongs there, not here." if !nonsensitive(can(regex("^(?:([!-~]+ )?arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(:[^:]+)?|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+))$", v2)))]])))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(v1.timeout >= 0.001 && v1.timeout <= 60)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.timeout is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.timeout) ? "a sensitive value" : jsonencode(v1.timeout)}; expected seconds from 0.001 to 60." if !nonsensitive(v1.timeout >= 0.001 && v1.timeout <= 60)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(v1.max_body >= 1 && v1.max_body <= 10000000 && floor(v1.max_body) == v1.max_body)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.max_body is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.max_body) ? "a sensitive value" : jsonencode(v1.max_body)}; expected a whole number of bytes from 1 to 10000000." if !nonsensitive(v1.max_body >= 1 && v1.max_body <= 10000000 && floor(v1.max_body) == v1.max_body)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(length(coalesce(v1.status, [])) >= 1 && length(coalesce(v1.status, [])) <= 100)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.status has ${length(coalesce(v1.status, []))} entries; expected 1 to 100." if !nonsensitive(length(coalesce(v1.status, [])) >= 1 && length(coalesce(v1.status, [])) <= 100)]))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in coalesce(v1.status, []) : nonsensitive(can(regex("^(?:[1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in coalesce(v1.status, []) : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.status[${k2}] is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(coalesce(v1.status, [])) || issensitive(v2) ? "a sensitive value" : jsonencode(v2)}; expected codes (\"200\"), ranges (\"200-399\") or classes (\"2xx\")." if !nonsensitive(can(regex("^(?:[1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$", v2)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.response_headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.response_headers : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.response_headers has a key of ${length(k2)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k2))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]])))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(v1.max_latency_ms == null ? true : v1.max_latency_ms >= 0.001 && v1.max_latency_ms <= 3600000)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.max_latency_ms is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.max_latency_ms) ? "a sensitive value" : jsonencode(v1.max_latency_ms)}; expected milliseconds from 0.001 to 3600000, or null." if !nonsensitive(v1.max_latency_ms == null ? true : v1.max_latency_ms >= 0.001 && v1.max_latency_ms <= 3600000)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(v1.interval >= 0 && v1.interval <= 60)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.interval is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.interval) ? "a sensitive value" : jsonencode(v1.interval)}; expected seconds from 0 to 60." if !nonsensitive(v1.interval >= 0 && v1.interval <= 60)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(v1.attempts >= 1 && v1.attempts <= 100 && floor(v1.attempts) == v1.attempts)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.attempts is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.attempts) ? "a sensitive value" : jsonencode(v1.attempts)}; expected a whole number from 1 to 100." if !nonsensitive(v1.attempts >= 1 && v1.attempts <= 100 && floor(v1.attempts) == v1.attempts)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(v1.consecutive_successes >= 1 && v1.consecutive_successes <= 100 && floor(v1.consecutive_successes) == v1.consecutive_successes)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.consecutive_successes is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.consecutive_successes) ? "a sensitive value" : jsonencode(v1.consecutive_successes)}; expected a whole number from 1 to 100." if !nonsensitive(v1.consecutive_successes >= 1 && v1.consecutive_successes <= 100 && floor(v1.consecutive_successes) == v1.consecutive_successes)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(v1.consecutive_error_limit >= 0 && v1.consecutive_error_limit <= 100 && floor(v1.consecutive_error_limit) == v1.consecutive_error_limit)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.consecutive_error_limit is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.consecutive_error_limit) ? "a sensitive value" : jsonencode(v1.consecutive_error_limit)}; expected a whole number from 0 to 100." if !nonsensitive(v1.consecutive_error_limit >= 0 && v1.consecutive_error_limit <= 100 && floor(v1.consecutive_error_limit) == v1.consecutive_error_limit)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(v1.initial_delay >= 0 && v1.initial_delay <= 600)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.initial_delay is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.initial_delay) ? "a sensitive value" : jsonencode(v1.initial_delay)}; expected seconds from 0 to 600." if !nonsensitive(v1.initial_delay >= 0 && v1.initial_delay <= 600)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(contains(["fail", "warn"], v1.severity))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.severity is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.severity) ? "a sensitive value" : jsonencode(v1.severity)}; expected \"fail\" or \"warn\". \"skip\" goes into the hook's checks." if !nonsensitive(contains(["fail", "warn"], v1.severity))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.http_checks : nonsensitive(v1.samples == null ? true : v1.samples >= 0 && v1.samples <= 10000 && floor(v1.samples) == v1.samples)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.http_checks : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.samples is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.samples) ? "a sensitive value" : jsonencode(v1.samples)}; expected a whole number from 0 to 10000, or null." if !nonsensitive(v1.samples == null ? true : v1.samples >= 0 && v1.samples <= 10000 && floor(v1.samples) == v1.samples)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.flows : nonsensitive(v1.steps == null ? false : length(coalesce(v1.steps, [])) >= 1 && length(coalesce(v1.steps, [])) <= 100)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.flows : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps has ${length(coalesce(v1.steps, []))} entries; expected 1 to 100." if !nonsensitive(v1.steps == null ? false : length(coalesce(v1.steps, [])) >= 1 && length(coalesce(v1.steps, [])) <= 100)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_test_traffic.flows : nonsensitive(contains(["fail", "warn"], v1.severity))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_test_traffic.flows : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.severity is ${issensitive(var.validate_test_traffic.flows) || issensitive(v1.severity) ? "a sensitive value" : jsonencode(v1.severity)}; expected \"fail\" or \"warn\". \"skip\" goes into the hook's checks." if !nonsensitive(contains(["fail", "warn"], v1.severity))]))
  }

  validation {
    condition     = var.validate_test_traffic.thresholds.error_rate >= 0 && var.validate_test_traffic.thresholds.error_rate <= 1
    error_message = nonsensitive("validate_test_traffic.thresholds.error_rate is ${issensitive(var.validate_test_traffic.thresholds.error_rate) ? "a sensitive value" : jsonencode(var.validate_test_traffic.thresholds.error_rate)}; expected a share from 0 to 1. 0.01 is one in a hundred.")
  }

  validation {
    condition     = var.validate_test_traffic.thresholds.p50_ms == null ? true : var.validate_test_traffic.thresholds.p50_ms >= 0.001 && var.validate_test_traffic.thresholds.p50_ms <= 3600000
    error_message = nonsensitive("validate_test_traffic.thresholds.p50_ms is ${issensitive(var.validate_test_traffic.thresholds.p50_ms) ? "a sensitive value" : jsonencode(var.validate_test_traffic.thresholds.p50_ms)}; expected milliseconds from 0.001 to 3600000, or null.")
  }

  validation {
    condition     = var.validate_test_traffic.thresholds.p90_ms == null ? true : var.validate_test_traffic.thresholds.p90_ms >= 0.001 && var.validate_test_traffic.thresholds.p90_ms <= 3600000
    error_message = nonsensitive("validate_test_traffic.thresholds.p90_ms is ${issensitive(var.validate_test_traffic.thresholds.p90_ms) ? "a sensitive value" : jsonencode(var.validate_test_traffic.thresholds.p90_ms)}; expected milliseconds from 0.001 to 3600000, or null.")
  }

  validation {
    condition     = var.validate_test_traffic.thresholds.p95_ms == null ? true : var.validate_test_traffic.thresholds.p95_ms >= 0.001 && var.validate_test_traffic.thresholds.p95_ms <= 3600000
    error_message = nonsensitive("validate_test_traffic.thresholds.p95_ms is ${issensitive(var.validate_test_traffic.thresholds.p95_ms) ? "a sensitive value" : jsonencode(var.validate_test_traffic.thresholds.p95_ms)}; expected milliseconds from 0.001 to 3600000, or null.")
  }

  validation {
    condition     = var.validate_test_traffic.thresholds.p99_ms == null ? true : var.validate_test_traffic.thresholds.p99_ms >= 0.001 && var.validate_test_traffic.thresholds.p99_ms <= 3600000
    error_message = nonsensitive("validate_test_traffic.thresholds.p99_ms is ${issensitive(var.validate_test_traffic.thresholds.p99_ms) ? "a sensitive value" : jsonencode(var.validate_test_traffic.thresholds.p99_ms)}; expected milliseconds from 0.001 to 3600000, or null.")
  }

  validation {
    condition     = var.validate_test_traffic.thresholds.max_ms == null ? true : var.validate_test_traffic.thresholds.max_ms >= 0.001 && var.validate_test_traffic.thresholds.max_ms <= 3600000
    error_message = nonsensitive("validate_test_traffic.thresholds.max_ms is ${issensitive(var.validate_test_traffic.thresholds.max_ms) ? "a sensitive value" : jsonencode(var.validate_test_traffic.thresholds.max_ms)}; expected milliseconds from 0.001 to 3600000, or null.")
  }

  validation {
    condition     = alltrue([for v1 in var.validate_test_traffic.smoke_test[*] : nonsensitive(v1.container == null ? true : can(regex("^(?:[A-Za-z0-9_-]{1,255})$", v1.container)))])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_test_traffic.smoke_test[*] : "validate_test_traffic.smoke_test.container is ${issensitive(var.validate_test_traffic.smoke_test[*]) || issensitive(v1.container) ? "a sensitive value" : jsonencode(v1.container)}; expected a container's name in the task definition (up to 255 letters, digits, hyphens and underscores), or null." if !nonsensitive(v1.container == null ? true : can(regex("^(?:[A-Za-z0-9_-]{1,255})$", v1.container)))]))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_test_traffic.smoke_test[*] : [for k2, v2 in v1.environment : nonsensitive(can(regex("^(?:(?s:.+))$", k2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_test_traffic.smoke_test[*] : [for k2, v2 in v1.environment : "validate_test_traffic.smoke_test.environment has a key of ${length(k2)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k2))}; expected a variable's name." if !nonsensitive(can(regex("^(?:(?s:.+))$", k2)))]])))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_test_traffic.smoke_test[*] : nonsensitive(v1.cpu == null ? true : v1.cpu >= 128 && v1.cpu <= 16384 && floor(v1.cpu) == v1.cpu)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_test_traffic.smoke_test[*] : "validate_test_traffic.smoke_test.cpu is ${issensitive(var.validate_test_traffic.smoke_test[*]) || issensitive(v1.cpu) ? "a sensitive value" : jsonencode(v1.cpu)}; expected a whole number of CPU units from 128 to 16384, or null." if !nonsensitive(v1.cpu == null ? true : v1.cpu >= 128 && v1.cpu <= 16384 && floor(v1.cpu) == v1.cpu)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_test_traffic.smoke_test[*] : nonsensitive(v1.memory == null ? true : v1.memory >= 128 && v1.memory <= 122880 && floor(v1.memory) == v1.memory)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_test_traffic.smoke_test[*] : "validate_test_traffic.smoke_test.memory is ${issensitive(var.validate_test_traffic.smoke_test[*]) || issensitive(v1.memory) ? "a sensitive value" : jsonencode(v1.memory)}; expected a whole number of MiB from 128 to 122880, or null." if !nonsensitive(v1.memory == null ? true : v1.memory >= 128 && v1.memory <= 122880 && floor(v1.memory) == v1.memory)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_test_traffic.smoke_test[*] : nonsensitive(v1.subnets == null ? true : length(coalesce(v1.subnets, [])) >= 1 && length(coalesce(v1.subnets, [])) <= 16)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_test_traffic.smoke_test[*] : "validate_test_traffic.smoke_test.subnets has ${length(coalesce(v1.subnets, []))} entries; expected 1 to 16, or null." if !nonsensitive(v1.subnets == null ? true : length(coalesce(v1.subnets, [])) >= 1 && length(coalesce(v1.subnets, [])) <= 16)]))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_test_traffic.smoke_test[*] : [for k2, v2 in coalesce(v1.subnets, []) : nonsensitive(can(regex("^(?:subnet-[0-9a-z]+)$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_test_traffic.smoke_test[*] : [for k2, v2 in coalesce(v1.subnets, []) : "validate_test_traffic.smoke_test.subnets[${k2}] is ${issensitive(var.validate_test_traffic.smoke_test[*]) || issensitive(coalesce(v1.subnets, [])) || issensitive(v2) ? "a sensitive value" : jsonencode(v2)}; expected ids such as \"subnet-0123456789abcdef0\"." if !nonsensitive(can(regex("^(?:subnet-[0-9a-z]+)$", v2)))]])))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_test_traffic.smoke_test[*] : nonsensitive(v1.security_groups == null ? true : length(coalesce(v1.security_groups, [])) >= 1 && length(coalesce(v1.security_groups, [])) <= 5)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_test_traffic.smoke_test[*] : "validate_test_traffic.smoke_test.security_groups has ${length(coalesce(v1.security_groups, []))} entries; expected 1 to 5, or null." if !nonsensitive(v1.security_groups == null ? true : length(coalesce(v1.security_groups, [])) >= 1 && length(coalesce(v1.security_groups, [])) <= 5)]))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_test_traffic.smoke_test[*] : [for k2, v2 in coalesce(v1.security_groups, []) : nonsensitive(can(regex("^(?:sg-[0-9a-z]+)$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_test_traffic.smoke_test[*] : [for k2, v2 in coalesce(v1.security_groups, []) : "validate_test_traffic.smoke_test.security_groups[${k2}] is ${issensitive(var.validate_test_traffic.smoke_test[*]) || issensitive(coalesce(v1.security_groups, [])) || issensitive(v2) ? "a sensitive value" : jsonencode(v2)}; expected ids such as \"sg-0123456789abcdef0\"." if !nonsensitive(can(regex("^(?:sg-[0-9a-z]+)$", v2)))]])))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_test_traffic.smoke_test[*] : nonsensitive(v1.launch == null ? true : can(regex("^(?:[A-Za-z0-9_-]{1,255})$", v1.launch)))])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_test_traffic.smoke_test[*] : "validate_test_traffic.smoke_test.launch is ${issensitive(var.validate_test_traffic.smoke_test[*]) || issensitive(v1.launch) ? "a sensitive value" : jsonencode(v1.launch)}; expected \"FARGATE\", \"EC2\", \"EXTERNAL\" or a capacity provider's name, or null." if !nonsensitive(v1.launch == null ? true : can(regex("^(?:[A-Za-z0-9_-]{1,255})$", v1.launch)))]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_test_traffic.smoke_test[*] : nonsensitive(v1.log_lines >= 0 && v1.log_lines <= 1000 && floor(v1.log_lines) == v1.log_lines)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_test_traffic.smoke_test[*] : "validate_test_traffic.smoke_test.log_lines is ${issensitive(var.validate_test_traffic.smoke_test[*]) || issensitive(v1.log_lines) ? "a sensitive value" : jsonencode(v1.log_lines)}; expected a whole number from 0 to 1000." if !nonsensitive(v1.log_lines >= 0 && v1.log_lines <= 1000 && floor(v1.log_lines) == v1.log_lines)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_test_traffic.smoke_test[*] : nonsensitive(v1.pass_role_arns == null ? true : length(coalesce(v1.pass_role_arns, [])) >= 1 && length(coalesce(v1.pass_role_arns, [])) <= 100)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_test_traffic.smoke_test[*] : "validate_test_traffic.smoke_test.pass_role_arns has ${length(coalesce(v1.pass_role_arns, []))} entries; expected 1 to 100, or null." if !nonsensitive(v1.pass_role_arns == null ? true : length(coalesce(v1.pass_role_arns, [])) >= 1 && length(coalesce(v1.pass_role_arns, [])) <= 100)]))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_test_traffic.smoke_test[*] : [for k2, v2 in coalesce(v1.pass_role_arns, []) : nonsensitive(can(regex("^(?:arn:[a-z-]+:iam::[0-9]{12}:role/.+)$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_test_traffic.smoke_test[*] : [for k2, v2 in coalesce(v1.pass_role_arns, []) : "validate_test_traffic.smoke_test.pass_role_arns[${k2}] is ${issensitive(var.validate_test_traffic.smoke_test[*]) || issensitive(coalesce(v1.pass_role_arns, [])) || issensitive(v2) ? "a sensitive value" : jsonencode(v2)}; expected roles' ARNs such as \"arn:aws:iam::111122223333:role/web-task\"." if !nonsensitive(can(regex("^(?:arn:[a-z-]+:iam::[0-9]{12}:role/.+)$", v2)))]])))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_test_traffic.smoke_test[*] : nonsensitive(v1.command == null ? true : length(coalesce(v1.command, [])) >= 1 && length(coalesce(v1.command, [])) <= 1000)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_test_traffic.smoke_test[*] : "validate_test_traffic.smoke_test.command has ${length(coalesce(v1.command, []))} entries; expected 1 to 1000, or null." if !nonsensitive(v1.command == null ? true : length(coalesce(v1.command, [])) >= 1 && length(coalesce(v1.command, [])) <= 1000)]))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_test_traffic.smoke_test[*] : [for k2, v2 in coalesce(v1.command, []) : nonsensitive(can(regex("^(?:(?s:.+))$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_test_traffic.smoke_test[*] : [for k2, v2 in coalesce(v1.command, []) : "validate_test_traffic.smoke_test.command[${k2}] is ${issensitive(var.validate_test_traffic.smoke_test[*]) || issensitive(coalesce(v1.command, [])) || issensitive(v2) ? "a sensitive value" : jsonencode(v2)}; expected words, none of them empty, such as [\"alembic\", \"upgrade\", \"head\"]." if !nonsensitive(can(regex("^(?:(?s:.+))$", v2)))]])))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_test_traffic.smoke_test[*] : nonsensitive(v1.task_definition == null ? true : can(regex("^(?:(arn:[a-z-]+:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/)?[A-Za-z0-9_-]{1,255}(:[0-9]+)?)$", v1.task_definition)))])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_test_traffic.smoke_test[*] : "validate_test_traffic.smoke_test.task_definition is ${issensitive(var.validate_test_traffic.smoke_test[*]) || issensitive(v1.task_definition) ? "a sensitive value" : jsonencode(v1.task_definition)}; expected a family, a family with its revision (\"web-smoke:7\"), or an ARN, or null." if !nonsensitive(v1.task_definition == null ? true : can(regex("^(?:(arn:[a-z-]+:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/)?[A-Za-z0-9_-]{1,255}(:[0-9]+)?)$", v1.task_definition)))]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_test_traffic.smoke_test[*] : nonsensitive(v1.timeout >= 1 && v1.timeout <= 840)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_test_traffic.smoke_test[*] : "validate_test_traffic.smoke_test.timeout is ${issensitive(var.validate_test_traffic.smoke_test[*]) || issensitive(v1.timeout) ? "a sensitive value" : jsonencode(v1.timeout)}; expected seconds from 1 to 840." if !nonsensitive(v1.timeout >= 1 && v1.timeout <= 840)]))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.response_headers : nonsensitive(v2.equals == null ? true : can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v2.equals)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.response_headers : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.response_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"}.equals is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.response_headers) || issensitive(v2.equals) ? "a sensitive value" : "a text of ${length(v2.equals)} characters"}; expected a header's value: text without line breaks and control characters that begins with no space, or null." if !nonsensitive(v2.equals == null ? true : can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v2.equals)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.jmespath : nonsensitive(v2.one_of == null ? true : length(coalesce(v2.one_of, [])) >= 1 && length(coalesce(v2.one_of, [])) <= 1000)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.jmespath : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"}.one_of has ${length(coalesce(v2.one_of, []))} entries; expected 1 to 1000, or null." if !nonsensitive(v2.one_of == null ? true : length(coalesce(v2.one_of, [])) >= 1 && length(coalesce(v2.one_of, [])) <= 1000)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.jmespath : nonsensitive(v2.at_least == null ? true : v2.at_least >= -1e+15 && v2.at_least <= 1e+15)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.jmespath : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"}.at_least is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.jmespath) || issensitive(v2.at_least) ? "a sensitive value" : jsonencode(v2.at_least)}; expected a number from -1e+15 to 1e+15, or null." if !nonsensitive(v2.at_least == null ? true : v2.at_least >= -1e+15 && v2.at_least <= 1e+15)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.jmespath : nonsensitive(v2.at_most == null ? true : v2.at_most >= -1e+15 && v2.at_most <= 1e+15)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.jmespath : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"}.at_most is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.jmespath) || issensitive(v2.at_most) ? "a sensitive value" : jsonencode(v2.at_most)}; expected a number from -1e+15 to 1e+15, or null." if !nonsensitive(v2.at_most == null ? true : v2.at_most >= -1e+15 && v2.at_most <= 1e+15)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.jmespath : nonsensitive(v2.length == null ? true : v2.length >= 0 && v2.length <= 1000000000 && floor(v2.length) == v2.length)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.http_checks : [for k2, v2 in v1.jmespath : "validate_test_traffic.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"}.length is ${issensitive(var.validate_test_traffic.http_checks) || issensitive(v1.jmespath) || issensitive(v2.length) ? "a sensitive value" : jsonencode(v2.length)}; expected a whole number from 0 to 1000000000, or null." if !nonsensitive(v2.length == null ? true : v2.length >= 0 && v2.length <= 1000000000 && floor(v2.length) == v2.length)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(can(regex("^(?:/[!-~]*)$", v2.path)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].path is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.path) ? "a sensitive value" : can(regex("[?#@]", v2.path)) ? "an address of ${length(v2.path)} characters" : jsonencode(v2.path)}; expected a path and query that begin with \"/\", printable and without spaces. A whole address goes into url." if !nonsensitive(can(regex("^(?:/[!-~]*)$", v2.path)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.url == null ? true : can(regex("^(?:[Hh][Tt][Tt][Pp][Ss]?://[!$-.0->@-~][!-~]*)$", v2.url)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].url is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.url) ? "a sensitive value" : can(regex("[?#@]", v2.url)) ? "an address of ${length(v2.url)} characters" : jsonencode(v2.url)}; expected an address such as \"https://www.example.com/health\", or null." if !nonsensitive(v2.url == null ? true : can(regex("^(?:[Hh][Tt][Tt][Pp][Ss]?://[!$-.0->@-~][!-~]*)$", v2.url)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(contains(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], v2.method))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].method is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.method) ? "a sensitive value" : jsonencode(v2.method)}; expected \"GET\", \"HEAD\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\" or \"OPTIONS\"." if !nonsensitive(contains(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], v2.method))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.host == null ? true : can(regex("^(?:[A-Za-z0-9.:_-]+)$", v2.host)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].host is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.host) ? "a sensitive value" : jsonencode(v2.host)}; expected a host name such as \"www.example.com\", or null." if !nonsensitive(v2.host == null ? true : can(regex("^(?:[A-Za-z0-9.:_-]+)$", v2.host)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.headers : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].headers has a key of ${length(k3)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k3))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.headers : nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.headers : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"} is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.headers) || issensitive(v3) ? "a sensitive value" : "a text of ${length(v3)} characters"}; expected a header's value: text without line breaks and control characters that begins with no space." if !nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.secret_headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.secret_headers : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].secret_headers has a key of ${length(k3)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k3))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.secret_headers : nonsensitive(can(regex("^(?:([!-~]+ )?arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(:[^:]+)?|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+))$", v3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.secret_headers : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].secret_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"} is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.secret_headers) || issensitive(v3) ? "a sensitive value" : "a text of ${length(v3)} characters"}; expected the ARN of a Secrets Manager secret or SSM parameter, alone or after one word (\"Bearer arn:\u2026\"). The value itself belongs there, not here." if !nonsensitive(can(regex("^(?:([!-~]+ )?arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(:[^:]+)?|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+))$", v3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.timeout >= 0.001 && v2.timeout <= 60)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].timeout is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.timeout) ? "a sensitive value" : jsonencode(v2.timeout)}; expected seconds from 0.001 to 60." if !nonsensitive(v2.timeout >= 0.001 && v2.timeout <= 60)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.max_body >= 1 && v2.max_body <= 10000000 && floor(v2.max_body) == v2.max_body)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].max_body is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.max_body) ? "a sensitive value" : jsonencode(v2.max_body)}; expected a whole number of bytes from 1 to 10000000." if !nonsensitive(v2.max_body >= 1 && v2.max_body <= 10000000 && floor(v2.max_body) == v2.max_body)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(length(coalesce(v2.status, [])) >= 1 && length(coalesce(v2.status, [])) <= 100)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].status has ${length(coalesce(v2.status, []))} entries; expected 1 to 100." if !nonsensitive(length(coalesce(v2.status, [])) >= 1 && length(coalesce(v2.status, [])) <= 100)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in coalesce(v2.status, []) : nonsensitive(can(regex("^(?:[1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$", v3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in coalesce(v2.status, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].status[${k3}] is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(coalesce(v2.status, [])) || issensitive(v3) ? "a sensitive value" : jsonencode(v3)}; expected codes (\"200\"), ranges (\"200-399\") or classes (\"2xx\")." if !nonsensitive(can(regex("^(?:[1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$", v3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.response_headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.response_headers : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].response_headers has a key of ${length(k3)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k3))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.max_latency_ms == null ? true : v2.max_latency_ms >= 0.001 && v2.max_latency_ms <= 3600000)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].max_latency_ms is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.max_latency_ms) ? "a sensitive value" : jsonencode(v2.max_latency_ms)}; expected milliseconds from 0.001 to 3600000, or null." if !nonsensitive(v2.max_latency_ms == null ? true : v2.max_latency_ms >= 0.001 && v2.max_latency_ms <= 3600000)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.interval >= 0 && v2.interval <= 60)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].interval is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.interval) ? "a sensitive value" : jsonencode(v2.interval)}; expected seconds from 0 to 60." if !nonsensitive(v2.interval >= 0 && v2.interval <= 60)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.attempts >= 1 && v2.attempts <= 100 && floor(v2.attempts) == v2.attempts)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].attempts is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.attempts) ? "a sensitive value" : jsonencode(v2.attempts)}; expected a whole number from 1 to 100." if !nonsensitive(v2.attempts >= 1 && v2.attempts <= 100 && floor(v2.attempts) == v2.attempts)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.consecutive_successes >= 1 && v2.consecutive_successes <= 100 && floor(v2.consecutive_successes) == v2.consecutive_successes)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].consecutive_successes is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.consecutive_successes) ? "a sensitive value" : jsonencode(v2.consecutive_successes)}; expected a whole number from 1 to 100." if !nonsensitive(v2.consecutive_successes >= 1 && v2.consecutive_successes <= 100 && floor(v2.consecutive_successes) == v2.consecutive_successes)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.consecutive_error_limit >= 0 && v2.consecutive_error_limit <= 100 && floor(v2.consecutive_error_limit) == v2.consecutive_error_limit)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].consecutive_error_limit is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.consecutive_error_limit) ? "a sensitive value" : jsonencode(v2.consecutive_error_limit)}; expected a whole number from 0 to 100." if !nonsensitive(v2.consecutive_error_limit >= 0 && v2.consecutive_error_limit <= 100 && floor(v2.consecutive_error_limit) == v2.consecutive_error_limit)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.save : nonsensitive(can(regex("^(?:[a-z][a-z0-9_]*)$", k3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.save : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].save has the key ${jsonencode(k3)}; expected a name to use as {name}: a small letter, then small letters, digits and underscores." if !nonsensitive(can(regex("^(?:[a-z][a-z0-9_]*)$", k3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.save : nonsensitive(can(regex("^(?:(?s:.+))$", v3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.save : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].save${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"} is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.save) || issensitive(v3) ? "a sensitive value" : jsonencode(v3)}; expected a JMESPath expression of the answer, or \"header:<name>\"." if !nonsensitive(can(regex("^(?:(?s:.+))$", v3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.response_headers : nonsensitive(v3.equals == null ? true : can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v3.equals)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.response_headers : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].response_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"}.equals is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.response_headers) || issensitive(v3.equals) ? "a sensitive value" : "a text of ${length(v3.equals)} characters"}; expected a header's value: text without line breaks and control characters that begins with no space, or null." if !nonsensitive(v3.equals == null ? true : can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v3.equals)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : nonsensitive(v3.one_of == null ? true : length(coalesce(v3.one_of, [])) >= 1 && length(coalesce(v3.one_of, [])) <= 1000)]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"}.one_of has ${length(coalesce(v3.one_of, []))} entries; expected 1 to 1000, or null." if !nonsensitive(v3.one_of == null ? true : length(coalesce(v3.one_of, [])) >= 1 && length(coalesce(v3.one_of, [])) <= 1000)]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : nonsensitive(v3.at_least == null ? true : v3.at_least >= -1e+15 && v3.at_least <= 1e+15)]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"}.at_least is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.jmespath) || issensitive(v3.at_least) ? "a sensitive value" : jsonencode(v3.at_least)}; expected a number from -1e+15 to 1e+15, or null." if !nonsensitive(v3.at_least == null ? true : v3.at_least >= -1e+15 && v3.at_least <= 1e+15)]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : nonsensitive(v3.at_most == null ? true : v3.at_most >= -1e+15 && v3.at_most <= 1e+15)]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"}.at_most is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.jmespath) || issensitive(v3.at_most) ? "a sensitive value" : jsonencode(v3.at_most)}; expected a number from -1e+15 to 1e+15, or null." if !nonsensitive(v3.at_most == null ? true : v3.at_most >= -1e+15 && v3.at_most <= 1e+15)]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : nonsensitive(v3.length == null ? true : v3.length >= 0 && v3.length <= 1000000000 && floor(v3.length) == v3.length)]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_test_traffic.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : "validate_test_traffic.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"}.length is ${issensitive(var.validate_test_traffic.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.jmespath) || issensitive(v3.length) ? "a sensitive value" : jsonencode(v3.length)}; expected a whole number from 0 to 1000000000, or null." if !nonsensitive(v3.length == null ? true : v3.length >= 0 && v3.length <= 1000000000 && floor(v3.length) == v3.length)]]])))
  }
}

variable "run_migrations" {
  description = <<-EOT
    Options of the BeforeAllowTraffic hook: one-off ECS tasks of the new task definition. Without `command` and `preset`
    nothing runs, and the hook says so.
    - `checks`: severity by the name of a check: `"fail"`, `"warn"` (report, but pass) or `"skip"` (default {})
    - `container`: container to run in; null: the only one of the task definition, or else the one behind the load
      balancer (default null)
    - `environment`: further environment variables of the container; no place for secrets: those come from the task
      definition (default {})
    - `cpu`: CPU units of the tasks (1024 are one vCPU); null: as the task definition says (default null)
    - `memory`: MiB of the tasks; null: as the task definition says (default null)
    - `subnets`: the tasks' subnets; null: the service's (default null)
    - `security_groups`: the tasks' security groups; null: the service's (default null)
    - `assign_public_ip`: whether the tasks get public addresses; null: as the service's (default null)
    - `launch`: launch type (`"FARGATE"`, `"EC2"` or `"EXTERNAL"`) or a capacity provider's name, such as
      `"FARGATE_SPOT"`; null: as the service's tasks (default null)
    - `log_lines`: last lines of the container's log in the message (default 20)
    - `pass_role_arns`: roles of the task definition (task role, execution role) that the function's own role may pass;
      null: any of the account, or those of the module's `task_definition_family` (default null)
    - `preset`: sets `command`, `verify_schema_command` and `rollback_command` where they are null; it looks first at
      which revision the database is, to go back there (default null)
    - `command`: the migration, as words: `["alembic", "upgrade", "head"]`; null: that of `preset`, or no migrations
      (default null)
    - `verify_schema_command`: command that must exit 0 after the migration (default null)
    - `verify_data_command`: command that must exit 0 after that (default null)
    - `rollback_command`: command for a failure after a change, run with the new image; null: that of `preset`, or none
      (default null)
    - `lock_timeout`: seconds after which PostgreSQL gives up waiting for a lock, told to libpq (psycopg, not asyncpg)
      by `PGOPTIONS`; null: not set (default null)
    - `statement_timeout`: seconds after which PostgreSQL gives up a statement, told in the same way; null: not set
      (default null)
    - `timeout`: seconds that one command may take; null: what `max_duration` leaves (default null)
    - `max_duration`: seconds for all of it (CodeDeploy gives a hook one hour: at most 3300; ECS a day); what does not
      fit one invocation of the function is continued in a fresh one (default 3000)
    - `concurrent`: what a migration of another deployment that still runs means: wait for its end, or fail (default
      "wait")
    - `retry_interrupted`: whether a command that a spot interruption ended in the middle is started once more; one that
      had not started always is (default false)
    - `interval`: seconds between two looks at the task (default 2)
    - `on_rollback_deployment`: what to do when the deployment is itself a rollback (default "skip")
  EOT
  type = object({
    checks                 = optional(map(string), {})
    container              = optional(string)
    environment            = optional(map(string), {})
    cpu                    = optional(number)
    memory                 = optional(number)
    subnets                = optional(list(string))
    security_groups        = optional(list(string))
    assign_public_ip       = optional(bool)
    launch                 = optional(string)
    log_lines              = optional(number, 20)
    pass_role_arns         = optional(list(string))
    preset                 = optional(string)
    command                = optional(list(string))
    verify_schema_command  = optional(list(string))
    verify_data_command    = optional(list(string))
    rollback_command       = optional(list(string))
    lock_timeout           = optional(number)
    statement_timeout      = optional(number)
    timeout                = optional(number)
    max_duration           = optional(number, 3000)
    concurrent             = optional(string, "wait")
    retry_interrupted      = optional(bool, false)
    interval               = optional(number, 2)
    on_rollback_deployment = optional(string, "skip")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for k1, v1 in var.run_migrations.checks : nonsensitive(contains(["fail", "warn", "skip"], v1))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.run_migrations.checks : "run_migrations.checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"} is ${issensitive(var.run_migrations.checks) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected \"fail\", \"warn\" or \"skip\"." if !nonsensitive(contains(["fail", "warn", "skip"], v1))]))
  }

  validation {
    condition     = var.run_migrations.container == null ? true : can(regex("^(?:[A-Za-z0-9_-]{1,255})$", var.run_migrations.container))
    error_message = nonsensitive("run_migrations.container is ${issensitive(var.run_migrations.container) ? "a sensitive value" : jsonencode(var.run_migrations.container)}; expected a container's name in the task definition (up to 255 letters, digits, hyphens and underscores), or null.")
  }

  validation {
    condition     = alltrue([for k1, v1 in var.run_migrations.environment : nonsensitive(can(regex("^(?:(?s:.+))$", k1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.run_migrations.environment : "run_migrations.environment has a key of ${length(k1)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k1))}; expected a variable's name." if !nonsensitive(can(regex("^(?:(?s:.+))$", k1)))]))
  }

  validation {
    condition     = var.run_migrations.cpu == null ? true : var.run_migrations.cpu >= 128 && var.run_migrations.cpu <= 16384 && floor(var.run_migrations.cpu) == var.run_migrations.cpu
    error_message = nonsensitive("run_migrations.cpu is ${issensitive(var.run_migrations.cpu) ? "a sensitive value" : jsonencode(var.run_migrations.cpu)}; expected a whole number of CPU units from 128 to 16384, or null.")
  }

  validation {
    condition     = var.run_migrations.memory == null ? true : var.run_migrations.memory >= 128 && var.run_migrations.memory <= 122880 && floor(var.run_migrations.memory) == var.run_migrations.memory
    error_message = nonsensitive("run_migrations.memory is ${issensitive(var.run_migrations.memory) ? "a sensitive value" : jsonencode(var.run_migrations.memory)}; expected a whole number of MiB from 128 to 122880, or null.")
  }

  validation {
    condition     = var.run_migrations.subnets == null ? true : length(coalesce(var.run_migrations.subnets, [])) >= 1 && length(coalesce(var.run_migrations.subnets, [])) <= 16
    error_message = nonsensitive("run_migrations.subnets has ${length(coalesce(var.run_migrations.subnets, []))} entries; expected 1 to 16, or null.")
  }

  validation {
    condition     = alltrue([for k1, v1 in coalesce(var.run_migrations.subnets, []) : nonsensitive(can(regex("^(?:subnet-[0-9a-z]+)$", v1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in coalesce(var.run_migrations.subnets, []) : "run_migrations.subnets[${k1}] is ${issensitive(coalesce(var.run_migrations.subnets, [])) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected ids such as \"subnet-0123456789abcdef0\"." if !nonsensitive(can(regex("^(?:subnet-[0-9a-z]+)$", v1)))]))
  }

  validation {
    condition     = var.run_migrations.security_groups == null ? true : length(coalesce(var.run_migrations.security_groups, [])) >= 1 && length(coalesce(var.run_migrations.security_groups, [])) <= 5
    error_message = nonsensitive("run_migrations.security_groups has ${length(coalesce(var.run_migrations.security_groups, []))} entries; expected 1 to 5, or null.")
  }

  validation {
    condition     = alltrue([for k1, v1 in coalesce(var.run_migrations.security_groups, []) : nonsensitive(can(regex("^(?:sg-[0-9a-z]+)$", v1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in coalesce(var.run_migrations.security_groups, []) : "run_migrations.security_groups[${k1}] is ${issensitive(coalesce(var.run_migrations.security_groups, [])) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected ids such as \"sg-0123456789abcdef0\"." if !nonsensitive(can(regex("^(?:sg-[0-9a-z]+)$", v1)))]))
  }

  validation {
    condition     = var.run_migrations.launch == null ? true : can(regex("^(?:[A-Za-z0-9_-]{1,255})$", var.run_migrations.launch))
    error_message = nonsensitive("run_migrations.launch is ${issensitive(var.run_migrations.launch) ? "a sensitive value" : jsonencode(var.run_migrations.launch)}; expected \"FARGATE\", \"EC2\", \"EXTERNAL\" or a capacity provider's name, or null.")
  }

  validation {
    condition     = var.run_migrations.log_lines >= 0 && var.run_migrations.log_lines <= 1000 && floor(var.run_migrations.log_lines) == var.run_migrations.log_lines
    error_message = nonsensitive("run_migrations.log_lines is ${issensitive(var.run_migrations.log_lines) ? "a sensitive value" : jsonencode(var.run_migrations.log_lines)}; expected a whole number from 0 to 1000.")
  }

  validation {
    condition     = var.run_migrations.pass_role_arns == null ? true : length(coalesce(var.run_migrations.pass_role_arns, [])) >= 1 && length(coalesce(var.run_migrations.pass_role_arns, [])) <= 100
    error_message = nonsensitive("run_migrations.pass_role_arns has ${length(coalesce(var.run_migrations.pass_role_arns, []))} entries; expected 1 to 100, or null.")
  }

  validation {
    condition     = alltrue([for k1, v1 in coalesce(var.run_migrations.pass_role_arns, []) : nonsensitive(can(regex("^(?:arn:[a-z-]+:iam::[0-9]{12}:role/.+)$", v1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in coalesce(var.run_migrations.pass_role_arns, []) : "run_migrations.pass_role_arns[${k1}] is ${issensitive(coalesce(var.run_migrations.pass_role_arns, [])) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected roles' ARNs such as \"arn:aws:iam::111122223333:role/web-task\"." if !nonsensitive(can(regex("^(?:arn:[a-z-]+:iam::[0-9]{12}:role/.+)$", v1)))]))
  }

  validation {
    condition     = var.run_migrations.preset == null ? true : contains(["alembic", "django"], var.run_migrations.preset)
    error_message = nonsensitive("run_migrations.preset is ${issensitive(var.run_migrations.preset) ? "a sensitive value" : jsonencode(var.run_migrations.preset)}; expected \"alembic\" or \"django\", or null. For another tool set command and those that follow it.")
  }

  validation {
    condition     = var.run_migrations.command == null ? true : length(coalesce(var.run_migrations.command, [])) >= 1 && length(coalesce(var.run_migrations.command, [])) <= 1000
    error_message = nonsensitive("run_migrations.command has ${length(coalesce(var.run_migrations.command, []))} entries; expected 1 to 1000, or null.")
  }

  validation {
    condition     = alltrue([for k1, v1 in coalesce(var.run_migrations.command, []) : nonsensitive(can(regex("^(?:(?s:.+))$", v1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in coalesce(var.run_migrations.command, []) : "run_migrations.command[${k1}] is ${issensitive(coalesce(var.run_migrations.command, [])) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected words, none of them empty, such as [\"alembic\", \"upgrade\", \"head\"]." if !nonsensitive(can(regex("^(?:(?s:.+))$", v1)))]))
  }

  validation {
    condition     = var.run_migrations.verify_schema_command == null ? true : length(coalesce(var.run_migrations.verify_schema_command, [])) >= 1 && length(coalesce(var.run_migrations.verify_schema_command, [])) <= 1000
    error_message = nonsensitive("run_migrations.verify_schema_command has ${length(coalesce(var.run_migrations.verify_schema_command, []))} entries; expected 1 to 1000, or null.")
  }

  validation {
    condition     = alltrue([for k1, v1 in coalesce(var.run_migrations.verify_schema_command, []) : nonsensitive(can(regex("^(?:(?s:.+))$", v1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in coalesce(var.run_migrations.verify_schema_command, []) : "run_migrations.verify_schema_command[${k1}] is ${issensitive(coalesce(var.run_migrations.verify_schema_command, [])) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected words, none of them empty, such as [\"alembic\", \"upgrade\", \"head\"]." if !nonsensitive(can(regex("^(?:(?s:.+))$", v1)))]))
  }

  validation {
    condition     = var.run_migrations.verify_data_command == null ? true : length(coalesce(var.run_migrations.verify_data_command, [])) >= 1 && length(coalesce(var.run_migrations.verify_data_command, [])) <= 1000
    error_message = nonsensitive("run_migrations.verify_data_command has ${length(coalesce(var.run_migrations.verify_data_command, []))} entries; expected 1 to 1000, or null.")
  }

  validation {
    condition     = alltrue([for k1, v1 in coalesce(var.run_migrations.verify_data_command, []) : nonsensitive(can(regex("^(?:(?s:.+))$", v1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in coalesce(var.run_migrations.verify_data_command, []) : "run_migrations.verify_data_command[${k1}] is ${issensitive(coalesce(var.run_migrations.verify_data_command, [])) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected words, none of them empty, such as [\"alembic\", \"upgrade\", \"head\"]." if !nonsensitive(can(regex("^(?:(?s:.+))$", v1)))]))
  }

  validation {
    condition     = var.run_migrations.rollback_command == null ? true : length(coalesce(var.run_migrations.rollback_command, [])) >= 1 && length(coalesce(var.run_migrations.rollback_command, [])) <= 1000
    error_message = nonsensitive("run_migrations.rollback_command has ${length(coalesce(var.run_migrations.rollback_command, []))} entries; expected 1 to 1000, or null.")
  }

  validation {
    condition     = alltrue([for k1, v1 in coalesce(var.run_migrations.rollback_command, []) : nonsensitive(can(regex("^(?:(?s:.+))$", v1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in coalesce(var.run_migrations.rollback_command, []) : "run_migrations.rollback_command[${k1}] is ${issensitive(coalesce(var.run_migrations.rollback_command, [])) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected words, none of them empty, such as [\"alembic\", \"upgrade\", \"head\"]." if !nonsensitive(can(regex("^(?:(?s:.+))$", v1)))]))
  }

  validation {
    condition     = var.run_migrations.lock_timeout == null ? true : var.run_migrations.lock_timeout >= 0.001 && var.run_migrations.lock_timeout <= 3000
    error_message = nonsensitive("run_migrations.lock_timeout is ${issensitive(var.run_migrations.lock_timeout) ? "a sensitive value" : jsonencode(var.run_migrations.lock_timeout)}; expected seconds from 0.001 to 3000, or null.")
  }

  validation {
    condition     = var.run_migrations.statement_timeout == null ? true : var.run_migrations.statement_timeout >= 0.001 && var.run_migrations.statement_timeout <= 3000
    error_message = nonsensitive("run_migrations.statement_timeout is ${issensitive(var.run_migrations.statement_timeout) ? "a sensitive value" : jsonencode(var.run_migrations.statement_timeout)}; expected seconds from 0.001 to 3000, or null.")
  }

  validation {
    condition     = var.run_migrations.timeout == null ? true : var.run_migrations.timeout >= 0.001 && var.run_migrations.timeout <= 3300
    error_message = nonsensitive("run_migrations.timeout is ${issensitive(var.run_migrations.timeout) ? "a sensitive value" : jsonencode(var.run_migrations.timeout)}; expected seconds from 0.001 to 3300, or null.")
  }

  validation {
    condition     = var.run_migrations.max_duration >= 60 && var.run_migrations.max_duration <= 3300
    error_message = nonsensitive("run_migrations.max_duration is ${issensitive(var.run_migrations.max_duration) ? "a sensitive value" : jsonencode(var.run_migrations.max_duration)}; expected seconds from 60 to 3300. CodeDeploy gives a hook one hour.")
  }

  validation {
    condition     = contains(["wait", "fail"], var.run_migrations.concurrent)
    error_message = nonsensitive("run_migrations.concurrent is ${issensitive(var.run_migrations.concurrent) ? "a sensitive value" : jsonencode(var.run_migrations.concurrent)}; expected \"wait\" or \"fail\".")
  }

  validation {
    condition     = var.run_migrations.interval >= 0.001 && var.run_migrations.interval <= 60
    error_message = nonsensitive("run_migrations.interval is ${issensitive(var.run_migrations.interval) ? "a sensitive value" : jsonencode(var.run_migrations.interval)}; expected seconds from 0.001 to 60.")
  }

  validation {
    condition     = contains(["skip", "run"], var.run_migrations.on_rollback_deployment)
    error_message = nonsensitive("run_migrations.on_rollback_deployment is ${issensitive(var.run_migrations.on_rollback_deployment) ? "a sensitive value" : jsonencode(var.run_migrations.on_rollback_deployment)}; expected \"skip\" or \"run\".")
  }
}

variable "validate_production" {
  description = <<-EOT
    Options of the AfterAllowTraffic hook. The deployment group's alarms are always expected not to be in ALARM.
    - `checks`: severity by the name of a check: `"fail"`, `"warn"` (report, but pass) or `"skip"` (default {})
    - `host`: Host header and TLS server name of all requests; null: the name in the address (default null)
    - `headers`: headers of all requests; a request's own come first (default {})
    - `http_checks`: HTTP checks by name; none: a GET of the target group's own health check path (default {})
      - `path`: path and query (default "/")
      - `url`: whole address, elsewhere than the hook's listener; the path is part of it (default null)
      - `method`: method of the request (default "GET")
      - `host`: Host header and TLS server name; null: the hook's `host` (default null)
      - `headers`: further headers of the request; no place for secrets (default {})
      - `secret_headers`: header → ARN of the Secrets Manager secret or SSM parameter that holds its value. A word may
        stand before it (`"Bearer arn:…"`); `:<json-key>` after a secret's ARN takes one value of its JSON. Only the
        function reads it; a KMS key of your own needs `policy_documents` too. Not together with `follow_redirects`
        (default {})
      - `body`: body of the request; no place for secrets (default null)
      - `json`: body as JSON text (`jsonencode(…)`), sent as application/json (default null)
      - `timeout`: seconds for one request (default 5)
      - `follow_redirects`: whether redirects are followed (default false)
      - `verify_tls`: whether the certificate has to be valid for the host (default true)
      - `max_body`: bytes of the answer that are read (default 1000000)
      - `status`: accepted statuses: codes `"200"`, ranges `"200-399"`, classes `"2xx"` (default ["200-299"])
      - `body_contains`: text that the body contains (default null)
      - `body_matches`: regular expression (Python's) that the body matches somewhere (default null)
      - `fail_if_body_matches`: regular expression that the body must match nowhere (default null)
      - `response_headers`: header of the answer → what it has to be (default {})
        - `equals`: value that it has, in which `{image_tag}`, `{revision}` and what a flow saved may stand (default
          null)
        - `matches`: regular expression (Python's) that it matches somewhere (default null)
        - `absent`: whether there has to be none; false: there has to be one, whatever it is (default null)
      - `jmespath`: JMESPath expression, as in `aws --query` → what its value in the answer's JSON has to be (default
        {})
        - `equals`: text that it equals; a number, true, false or an object as JSON text. `{image_tag}` stands for the
          tag of the new task definition's image, `{revision}` for its revision: proof that green answered, not blue
          (default null)
        - `one_of`: texts of which it equals one (default null)
        - `at_least`: least number (default null)
        - `at_most`: greatest number (default null)
        - `exists`: whether there is a value; null is none (default null)
        - `length`: entries of a list, keys of an object or characters of a text (default null)
      - `max_latency_ms`: slowest answer that passes, in milliseconds; null: not looked at (default null)
      - `interval`: seconds between two attempts (default 1)
      - `attempts`: tries before the request fails (default 3)
      - `consecutive_successes`: good answers in a row that are needed (default 1)
      - `consecutive_error_limit`: requests in a row without any answer that are borne (Argo Rollouts' word and number)
        (default 4)
      - `initial_delay`: seconds before the first attempt (default 0)
      - `severity`: what a failure does; the hook's `checks` comes first (default "fail")
      - `samples`: how often it is sent to be measured; null: as the hook's `samples` for GET, HEAD and OPTIONS, else
        not at all (default null)
    - `flows`: flows by name: requests one after the other (default {})
      - `steps`: the requests, one at least (required)
        - `path`: path and query (default "/")
        - `url`: whole address, elsewhere than the hook's listener; the path is part of it (default null)
        - `method`: method of the request (default "GET")
        - `host`: Host header and TLS server name; null: the hook's `host` (default null)
        - `headers`: further headers of the request; no place for secrets (default {})
        - `secret_headers`: header → ARN of the Secrets Manager secret or SSM parameter that holds its value. A word may
          stand before it (`"Bearer arn:…"`); `:<json-key>` after a secret's ARN takes one value of its JSON. Only the
          function reads it; a KMS key of your own needs `policy_documents` too. Not together with `follow_redirects`
          (default {})
        - `body`: body of the request; no place for secrets (default null)
        - `json`: body as JSON text (`jsonencode(…)`), sent as application/json (default null)
        - `timeout`: seconds for one request (default 5)
        - `follow_redirects`: whether redirects are followed (default false)
        - `verify_tls`: whether the certificate has to be valid for the host (default true)
        - `max_body`: bytes of the answer that are read (default 1000000)
        - `status`: accepted statuses: codes `"200"`, ranges `"200-399"`, classes `"2xx"` (default ["200-299"])
        - `body_contains`: text that the body contains (default null)
        - `body_matches`: regular expression (Python's) that the body matches somewhere (default null)
        - `fail_if_body_matches`: regular expression that the body must match nowhere (default null)
        - `response_headers`: header of the answer → what it has to be (default {})
          - `equals`: value that it has, in which `{image_tag}`, `{revision}` and what a flow saved may stand (default
            null)
          - `matches`: regular expression (Python's) that it matches somewhere (default null)
          - `absent`: whether there has to be none; false: there has to be one, whatever it is (default null)
        - `jmespath`: JMESPath expression, as in `aws --query` → what its value in the answer's JSON has to be (default
          {})
          - `equals`: text that it equals; a number, true, false or an object as JSON text. `{image_tag}` stands for the
            tag of the new task definition's image, `{revision}` for its revision: proof that green answered, not blue
            (default null)
          - `one_of`: texts of which it equals one (default null)
          - `at_least`: least number (default null)
          - `at_most`: greatest number (default null)
          - `exists`: whether there is a value; null is none (default null)
          - `length`: entries of a list, keys of an object or characters of a text (default null)
        - `max_latency_ms`: slowest answer that passes, in milliseconds; null: not looked at (default null)
        - `interval`: seconds between two attempts (default 1)
        - `attempts`: tries before the request fails (default 1)
        - `consecutive_successes`: good answers in a row that are needed (default 1)
        - `consecutive_error_limit`: requests in a row without any answer that are borne (Argo Rollouts' word and
          number) (default 4)
        - `name`: what messages call it; null: `step 1`, … (default null)
        - `save`: name → JMESPath expression of the answer, or `header:<name>`. Later steps use it as `{name}` in
          `path`, `url`, `headers`, `body`, `json`, `response_headers` and values of `jmespath` (default {})
        - `always`: whether it is sent even if an earlier step failed, as long as what it needs was saved: for cleaning
          up (default false)
      - `severity`: what a failure does; the hook's `checks` comes first (default "fail")
      - `repeat`: whether the bake after the shift repeats it at each `interval` (default false)
    - `samples`: requests of each HTTP check that error rate and latencies are computed from, after some that warm green
      up and are not judged; 0: none (default 20)
    - `concurrency`: samples under way at a time; each of these hands sends one in 0.2 seconds at most (default 1)
    - `thresholds`: limits of the load balancer's figures and of the samples (default {})
      - `error_rate`: highest share of errors, 0 to 1; null: 0.01 of the samples, and of the load balancer's figures no
        more than blue's (default null)
      - `p50_ms`: highest median latency in milliseconds; null: not looked at (default null)
      - `p90_ms`: highest P90 in milliseconds; null: not looked at (default null)
      - `p95_ms`: highest P95 in milliseconds; null: not looked at (default null)
      - `p99_ms`: highest P99 in milliseconds; null: not looked at (default null)
      - `max_ms`: slowest answer in milliseconds; null: not looked at (default null)
      - `unhealthy_hosts`: highest count of unhealthy targets (default 0)
      - `rejected_connections`: connections that the load balancer may reject; null: not looked at (default null)
      - `cpu_percent`: highest average CPU use of the service; null: only said (default null)
      - `memory_percent`: the same of its memory; null: only said (default null)
    - `smoke_test`: a test of your own as a one-off ECS task, after the requests; null: none (default null)
      - `container`: container to run in; null: the only one of the task definition, or else the one behind the load
        balancer (default null)
      - `environment`: further environment variables of the container; no place for secrets: those come from the task
        definition (default {})
      - `cpu`: CPU units of the tasks (1024 are one vCPU); null: as the task definition says (default null)
      - `memory`: MiB of the tasks; null: as the task definition says (default null)
      - `subnets`: the tasks' subnets; null: the service's (default null)
      - `security_groups`: the tasks' security groups; null: the service's (default null)
      - `assign_public_ip`: whether the tasks get public addresses; null: as the service's (default null)
      - `launch`: launch type (`"FARGATE"`, `"EC2"` or `"EXTERNAL"`) or a capacity provider's name, such as
        `"FARGATE_SPOT"`; null: as the service's tasks (default null)
      - `log_lines`: last lines of the container's log in the message (default 20)
      - `pass_role_arns`: roles of the task definition (task role, execution role) that the function's own role may
        pass; null: any of the account, or those of the module's `task_definition_family` (default null)
      - `command`: the test, as words: `["pytest", "tests/smoke"]`; null: what the task definition named here runs by
        itself (default null)
      - `task_definition`: task definition that holds the test, as family, `family:revision` or ARN; null: the one that
        is deployed (default null)
      - `timeout`: seconds after which it is stopped, and has failed (default 300)
    - `initial_delay`: seconds to settle, or to warm up, before the bake: no figure counts what was before (default 60)
    - `duration`: seconds of the bake (default 300)
    - `interval`: seconds between two looks during the bake, at each of which the HTTP checks that only read are asked
      again (default 15)
    - `max_duration`: seconds for all of it (CodeDeploy gives a hook one hour: at most 3300; ECS a day); what does not
      fit one invocation of the function is continued in a fresh one (default 3000)
    - `alarms`: further CloudWatch alarms by name → expected state (default {})
    - `insufficient_data`: what an alarm without enough data means; null: an alarm named in `alarms` has its state, one
      of the deployment group is just not in ALARM (default null)
    - `missing_alarms`: what an alarm that does not exist means (default "fail")
    - `baseline`: how much worse than blue green may be (default {})
      - `max_worse_percent`: by how much the typical minute may be worse (default 50)
      - `tolerance`: share of a difference that counts as none (Kayenta's) (default 0.25)
      - `confidence`: confidence of the test that tells a difference from chance (Kayenta's) (default 0.98)
      - `noise_ms`: milliseconds that no latency's difference is taken for (default 50)
    - `no_data`: what it means that the load balancer has no figures of green, where the hook has sent nothing itself:
      what it has sent must be among them (default "pass")
    - `metrics_delay`: seconds that CloudWatch may be late: only after it an absence of data counts, and so long after
      the bake its last minutes are waited for (default 180)
    - `metrics`: further CloudWatch metrics by name (default {})
      - `namespace`: namespace of the metric (required)
      - `metric_name`: name of the metric (required)
      - `dimensions`: dimensions of the metric; `{target_group}` and `{load_balancer}` as values stand for green's
        (default {})
      - `statistic`: statistic of a datapoint, or a percentile such as `p99` (default "Average")
      - `period`: seconds of one datapoint: 1, 5, 10, 20, 30 or a multiple of 60 (default 60)
      - `threshold_range`: bounds of each datapoint since the shift (default {})
        - `min`: least value (default null)
        - `max`: greatest value (default null)
      - `min_datapoints`: fewer datapoints count as no data (default 1)
      - `failure_limit`: datapoints out of bounds that are tolerated (default 0)
      - `no_data`: what it means (default "fail")
      - `max_worse_percent`: how much worse than before the shift it may be; null: not compared (default null)
      - `direction`: which way is worse (default "increase")
    - `load`: a bounded load on the production listener; null: none (default null)
      - `rate`: requests a second (required)
      - `duration`: seconds of the load (required)
      - `error_rate`: highest share of errors, 0 to 1; null means the default (default 0.01)
      - `p50_ms`: highest median latency in milliseconds; null: not looked at (default null)
      - `p90_ms`: highest P90 in milliseconds; null: not looked at (default null)
      - `p95_ms`: highest P95 in milliseconds; null: not looked at (default null)
      - `p99_ms`: highest P99 in milliseconds; null: not looked at (default null)
      - `max_ms`: slowest answer in milliseconds; null: not looked at (default null)
      - `path`: path and query (default "/")
      - `host`: Host header and TLS server name; null: the hook's `host` (default null)
      - `headers`: further headers; no place for secrets (default {})
      - `warm_up`: seconds before, of the same load, that do not count (default 0)
      - `concurrency`: connections at most (default 16)
      - `timeout`: seconds for one request (default 5)
      - `status`: statuses that are no error (default ["200-399"])
  EOT
  type = object({
    checks  = optional(map(string), {})
    host    = optional(string)
    headers = optional(map(string), {})
    http_checks = optional(map(object({
      path                 = optional(string, "/")
      url                  = optional(string)
      method               = optional(string, "GET")
      host                 = optional(string)
      headers              = optional(map(string), {})
      secret_headers       = optional(map(string), {})
      body                 = optional(string)
      json                 = optional(string)
      timeout              = optional(number, 5)
      follow_redirects     = optional(bool, false)
      verify_tls           = optional(bool, true)
      max_body             = optional(number, 1000000)
      status               = optional(list(string), ["200-299"])
      body_contains        = optional(string)
      body_matches         = optional(string)
      fail_if_body_matches = optional(string)
      response_headers = optional(map(object({
        equals  = optional(string)
        matches = optional(string)
        absent  = optional(bool)
      })), {})
      jmespath = optional(map(object({
        equals   = optional(string)
        one_of   = optional(list(string))
        at_least = optional(number)
        at_most  = optional(number)
        exists   = optional(bool)
        length   = optional(number)
      })), {})
      max_latency_ms          = optional(number)
      interval                = optional(number, 1)
      attempts                = optional(number, 3)
      consecutive_successes   = optional(number, 1)
      consecutive_error_limit = optional(number, 4)
      initial_delay           = optional(number, 0)
      severity                = optional(string, "fail")
      samples                 = optional(number)
    })), {})
    flows = optional(map(object({
      steps = list(object({
        path                 = optional(string, "/")
        url                  = optional(string)
        method               = optional(string, "GET")
        host                 = optional(string)
        headers              = optional(map(string), {})
        secret_headers       = optional(map(string), {})
        body                 = optional(string)
        json                 = optional(string)
        timeout              = optional(number, 5)
        follow_redirects     = optional(bool, false)
        verify_tls           = optional(bool, true)
        max_body             = optional(number, 1000000)
        status               = optional(list(string), ["200-299"])
        body_contains        = optional(string)
        body_matches         = optional(string)
        fail_if_body_matches = optional(string)
        response_headers = optional(map(object({
          equals  = optional(string)
          matches = optional(string)
          absent  = optional(bool)
        })), {})
        jmespath = optional(map(object({
          equals   = optional(string)
          one_of   = optional(list(string))
          at_least = optional(number)
          at_most  = optional(number)
          exists   = optional(bool)
          length   = optional(number)
        })), {})
        max_latency_ms          = optional(number)
        interval                = optional(number, 1)
        attempts                = optional(number, 1)
        consecutive_successes   = optional(number, 1)
        consecutive_error_limit = optional(number, 4)
        name                    = optional(string)
        save                    = optional(map(string), {})
        always                  = optional(bool, false)
      }))
      severity = optional(string, "fail")
      repeat   = optional(bool, false)
    })), {})
    samples     = optional(number, 20)
    concurrency = optional(number, 1)
    thresholds = optional(object({
      error_rate           = optional(number)
      p50_ms               = optional(number)
      p90_ms               = optional(number)
      p95_ms               = optional(number)
      p99_ms               = optional(number)
      max_ms               = optional(number)
      unhealthy_hosts      = optional(number, 0)
      rejected_connections = optional(number)
      cpu_percent          = optional(number)
      memory_percent       = optional(number)
    }), {})
    smoke_test = optional(object({
      container        = optional(string)
      environment      = optional(map(string), {})
      cpu              = optional(number)
      memory           = optional(number)
      subnets          = optional(list(string))
      security_groups  = optional(list(string))
      assign_public_ip = optional(bool)
      launch           = optional(string)
      log_lines        = optional(number, 20)
      pass_role_arns   = optional(list(string))
      command          = optional(list(string))
      task_definition  = optional(string)
      timeout          = optional(number, 300)
    }))
    initial_delay     = optional(number, 60)
    duration          = optional(number, 300)
    interval          = optional(number, 15)
    max_duration      = optional(number, 3000)
    alarms            = optional(map(string), {})
    insufficient_data = optional(string)
    missing_alarms    = optional(string, "fail")
    baseline = optional(object({
      max_worse_percent = optional(number, 50)
      tolerance         = optional(number, 0.25)
      confidence        = optional(number, 0.98)
      noise_ms          = optional(number, 50)
    }), {})
    no_data       = optional(string, "pass")
    metrics_delay = optional(number, 180)
    metrics = optional(map(object({
      namespace   = string
      metric_name = string
      dimensions  = optional(map(string), {})
      statistic   = optional(string, "Average")
      period      = optional(number, 60)
      threshold_range = optional(object({
        min = optional(number)
        max = optional(number)
      }), {})
      min_datapoints    = optional(number, 1)
      failure_limit     = optional(number, 0)
      no_data           = optional(string, "fail")
      max_worse_percent = optional(number)
      direction         = optional(string, "increase")
    })), {})
    load = optional(object({
      rate        = number
      duration    = number
      error_rate  = optional(number, 0.01)
      p50_ms      = optional(number)
      p90_ms      = optional(number)
      p95_ms      = optional(number)
      p99_ms      = optional(number)
      max_ms      = optional(number)
      path        = optional(string, "/")
      host        = optional(string)
      headers     = optional(map(string), {})
      warm_up     = optional(number, 0)
      concurrency = optional(number, 16)
      timeout     = optional(number, 5)
      status      = optional(list(string), ["200-399"])
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.checks : nonsensitive(contains(["fail", "warn", "skip"], v1))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.checks : "validate_production.checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"} is ${issensitive(var.validate_production.checks) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected \"fail\", \"warn\" or \"skip\"." if !nonsensitive(contains(["fail", "warn", "skip"], v1))]))
  }

  validation {
    condition     = var.validate_production.host == null ? true : can(regex("^(?:[A-Za-z0-9.:_-]+)$", var.validate_production.host))
    error_message = nonsensitive("validate_production.host is ${issensitive(var.validate_production.host) ? "a sensitive value" : jsonencode(var.validate_production.host)}; expected a host name such as \"www.example.com\", or null.")
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.headers : "validate_production.headers has a key of ${length(k1)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k1))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k1)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.headers : nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.headers : "validate_production.headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"} is ${issensitive(var.validate_production.headers) || issensitive(v1) ? "a sensitive value" : "a text of ${length(v1)} characters"}; expected a header's value: text without line breaks and control characters that begins with no space." if !nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v1)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(can(regex("^(?:[^:\\x00-\\x20\\x7f-\\xa0]{1,64})$", k1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks has the key ${jsonencode(k1)}; expected a name of up to 64 printable characters, without spaces and colons." if !nonsensitive(can(regex("^(?:[^:\\x00-\\x20\\x7f-\\xa0]{1,64})$", k1)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.flows : nonsensitive(can(regex("^(?:[^:\\x00-\\x20\\x7f-\\xa0]{1,64})$", k1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.flows : "validate_production.flows has the key ${jsonencode(k1)}; expected a name of up to 64 printable characters, without spaces and colons." if !nonsensitive(can(regex("^(?:[^:\\x00-\\x20\\x7f-\\xa0]{1,64})$", k1)))]))
  }

  validation {
    condition     = var.validate_production.samples >= 0 && var.validate_production.samples <= 10000 && floor(var.validate_production.samples) == var.validate_production.samples
    error_message = nonsensitive("validate_production.samples is ${issensitive(var.validate_production.samples) ? "a sensitive value" : jsonencode(var.validate_production.samples)}; expected a whole number from 0 to 10000.")
  }

  validation {
    condition     = var.validate_production.concurrency >= 1 && var.validate_production.concurrency <= 64 && floor(var.validate_production.concurrency) == var.validate_production.concurrency
    error_message = nonsensitive("validate_production.concurrency is ${issensitive(var.validate_production.concurrency) ? "a sensitive value" : jsonencode(var.validate_production.concurrency)}; expected a whole number from 1 to 64.")
  }

  validation {
    condition     = var.validate_production.initial_delay >= 0 && var.validate_production.initial_delay <= 86400
    error_message = nonsensitive("validate_production.initial_delay is ${issensitive(var.validate_production.initial_delay) ? "a sensitive value" : jsonencode(var.validate_production.initial_delay)}; expected seconds from 0 to 86400.")
  }

  validation {
    condition     = var.validate_production.duration >= 0 && var.validate_production.duration <= 86400
    error_message = nonsensitive("validate_production.duration is ${issensitive(var.validate_production.duration) ? "a sensitive value" : jsonencode(var.validate_production.duration)}; expected seconds from 0 to 86400.")
  }

  validation {
    condition     = var.validate_production.interval >= 0.001 && var.validate_production.interval <= 300
    error_message = nonsensitive("validate_production.interval is ${issensitive(var.validate_production.interval) ? "a sensitive value" : jsonencode(var.validate_production.interval)}; expected seconds from 0.001 to 300.")
  }

  validation {
    condition     = var.validate_production.max_duration >= 60 && var.validate_production.max_duration <= 86400
    error_message = nonsensitive("validate_production.max_duration is ${issensitive(var.validate_production.max_duration) ? "a sensitive value" : jsonencode(var.validate_production.max_duration)}; expected seconds from 60 to 86400. CodeDeploy gives a hook one hour.")
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.alarms : nonsensitive(contains(["OK", "ALARM", "INSUFFICIENT_DATA"], v1))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.alarms : "validate_production.alarms${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"} is ${issensitive(var.validate_production.alarms) || issensitive(v1) ? "a sensitive value" : jsonencode(v1)}; expected \"OK\", \"ALARM\" or \"INSUFFICIENT_DATA\"." if !nonsensitive(contains(["OK", "ALARM", "INSUFFICIENT_DATA"], v1))]))
  }

  validation {
    condition     = var.validate_production.insufficient_data == null ? true : contains(["pass", "fail"], var.validate_production.insufficient_data)
    error_message = nonsensitive("validate_production.insufficient_data is ${issensitive(var.validate_production.insufficient_data) ? "a sensitive value" : jsonencode(var.validate_production.insufficient_data)}; expected \"pass\" or \"fail\", or null.")
  }

  validation {
    condition     = contains(["fail", "pass"], var.validate_production.missing_alarms)
    error_message = nonsensitive("validate_production.missing_alarms is ${issensitive(var.validate_production.missing_alarms) ? "a sensitive value" : jsonencode(var.validate_production.missing_alarms)}; expected \"fail\" or \"pass\".")
  }

  validation {
    condition     = contains(["fail", "pass"], var.validate_production.no_data)
    error_message = nonsensitive("validate_production.no_data is ${issensitive(var.validate_production.no_data) ? "a sensitive value" : jsonencode(var.validate_production.no_data)}; expected \"fail\" or \"pass\".")
  }

  validation {
    condition     = var.validate_production.metrics_delay >= 0 && var.validate_production.metrics_delay <= 600
    error_message = nonsensitive("validate_production.metrics_delay is ${issensitive(var.validate_production.metrics_delay) ? "a sensitive value" : jsonencode(var.validate_production.metrics_delay)}; expected seconds from 0 to 600.")
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(can(regex("^(?:[^:\\x00-\\x20\\x7f-\\xa0]{1,64})$", k1)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics has the key ${jsonencode(k1)}; expected a name of up to 64 printable characters, without spaces and colons." if !nonsensitive(can(regex("^(?:[^:\\x00-\\x20\\x7f-\\xa0]{1,64})$", k1)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(can(regex("^(?:/[!-~]*)$", v1.path)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.path is ${issensitive(var.validate_production.http_checks) || issensitive(v1.path) ? "a sensitive value" : can(regex("[?#@]", v1.path)) ? "an address of ${length(v1.path)} characters" : jsonencode(v1.path)}; expected a path and query that begin with \"/\", printable and without spaces. A whole address goes into url." if !nonsensitive(can(regex("^(?:/[!-~]*)$", v1.path)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(v1.url == null ? true : can(regex("^(?:[Hh][Tt][Tt][Pp][Ss]?://[!$-.0->@-~][!-~]*)$", v1.url)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.url is ${issensitive(var.validate_production.http_checks) || issensitive(v1.url) ? "a sensitive value" : can(regex("[?#@]", v1.url)) ? "an address of ${length(v1.url)} characters" : jsonencode(v1.url)}; expected an address such as \"https://www.example.com/health\", or null." if !nonsensitive(v1.url == null ? true : can(regex("^(?:[Hh][Tt][Tt][Pp][Ss]?://[!$-.0->@-~][!-~]*)$", v1.url)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(contains(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], v1.method))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.method is ${issensitive(var.validate_production.http_checks) || issensitive(v1.method) ? "a sensitive value" : jsonencode(v1.method)}; expected \"GET\", \"HEAD\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\" or \"OPTIONS\"." if !nonsensitive(contains(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], v1.method))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(v1.host == null ? true : can(regex("^(?:[A-Za-z0-9.:_-]+)$", v1.host)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.host is ${issensitive(var.validate_production.http_checks) || issensitive(v1.host) ? "a sensitive value" : jsonencode(v1.host)}; expected a host name such as \"www.example.com\", or null." if !nonsensitive(v1.host == null ? true : can(regex("^(?:[A-Za-z0-9.:_-]+)$", v1.host)))]))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.headers : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.headers has a key of ${length(k2)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k2))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.headers : nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.headers : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"} is ${issensitive(var.validate_production.http_checks) || issensitive(v1.headers) || issensitive(v2) ? "a sensitive value" : "a text of ${length(v2)} characters"}; expected a header's value: text without line breaks and control characters that begins with no space." if !nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v2)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.secret_headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.secret_headers : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.secret_headers has a key of ${length(k2)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k2))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.secret_headers : nonsensitive(can(regex("^(?:([!-~]+ )?arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(:[^:]+)?|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+))$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.secret_headers : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.secret_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"} is ${issensitive(var.validate_production.http_checks) || issensitive(v1.secret_headers) || issensitive(v2) ? "a sensitive value" : "a text of ${length(v2)} characters"}; expected the ARN of a Secrets Manager secret or SSM parameter, alone or after one word (\"Bearer arn:\u2026\"). The value itself belongs there, not here." if !nonsensitive(can(regex("^(?:([!-~]+ )?arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(:[^:]+)?|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+))$", v2)))]])))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(v1.timeout >= 0.001 && v1.timeout <= 60)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.timeout is ${issensitive(var.validate_production.http_checks) || issensitive(v1.timeout) ? "a sensitive value" : jsonencode(v1.timeout)}; expected seconds from 0.001 to 60." if !nonsensitive(v1.timeout >= 0.001 && v1.timeout <= 60)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(v1.max_body >= 1 && v1.max_body <= 10000000 && floor(v1.max_body) == v1.max_body)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.max_body is ${issensitive(var.validate_production.http_checks) || issensitive(v1.max_body) ? "a sensitive value" : jsonencode(v1.max_body)}; expected a whole number of bytes from 1 to 10000000." if !nonsensitive(v1.max_body >= 1 && v1.max_body <= 10000000 && floor(v1.max_body) == v1.max_body)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(length(coalesce(v1.status, [])) >= 1 && length(coalesce(v1.status, [])) <= 100)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.status has ${length(coalesce(v1.status, []))} entries; expected 1 to 100." if !nonsensitive(length(coalesce(v1.status, [])) >= 1 && length(coalesce(v1.status, [])) <= 100)]))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in coalesce(v1.status, []) : nonsensitive(can(regex("^(?:[1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in coalesce(v1.status, []) : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.status[${k2}] is ${issensitive(var.validate_production.http_checks) || issensitive(coalesce(v1.status, [])) || issensitive(v2) ? "a sensitive value" : jsonencode(v2)}; expected codes (\"200\"), ranges (\"200-399\") or classes (\"2xx\")." if !nonsensitive(can(regex("^(?:[1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$", v2)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.response_headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.response_headers : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.response_headers has a key of ${length(k2)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k2))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]])))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(v1.max_latency_ms == null ? true : v1.max_latency_ms >= 0.001 && v1.max_latency_ms <= 3600000)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.max_latency_ms is ${issensitive(var.validate_production.http_checks) || issensitive(v1.max_latency_ms) ? "a sensitive value" : jsonencode(v1.max_latency_ms)}; expected milliseconds from 0.001 to 3600000, or null." if !nonsensitive(v1.max_latency_ms == null ? true : v1.max_latency_ms >= 0.001 && v1.max_latency_ms <= 3600000)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(v1.interval >= 0 && v1.interval <= 60)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.interval is ${issensitive(var.validate_production.http_checks) || issensitive(v1.interval) ? "a sensitive value" : jsonencode(v1.interval)}; expected seconds from 0 to 60." if !nonsensitive(v1.interval >= 0 && v1.interval <= 60)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(v1.attempts >= 1 && v1.attempts <= 100 && floor(v1.attempts) == v1.attempts)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.attempts is ${issensitive(var.validate_production.http_checks) || issensitive(v1.attempts) ? "a sensitive value" : jsonencode(v1.attempts)}; expected a whole number from 1 to 100." if !nonsensitive(v1.attempts >= 1 && v1.attempts <= 100 && floor(v1.attempts) == v1.attempts)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(v1.consecutive_successes >= 1 && v1.consecutive_successes <= 100 && floor(v1.consecutive_successes) == v1.consecutive_successes)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.consecutive_successes is ${issensitive(var.validate_production.http_checks) || issensitive(v1.consecutive_successes) ? "a sensitive value" : jsonencode(v1.consecutive_successes)}; expected a whole number from 1 to 100." if !nonsensitive(v1.consecutive_successes >= 1 && v1.consecutive_successes <= 100 && floor(v1.consecutive_successes) == v1.consecutive_successes)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(v1.consecutive_error_limit >= 0 && v1.consecutive_error_limit <= 100 && floor(v1.consecutive_error_limit) == v1.consecutive_error_limit)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.consecutive_error_limit is ${issensitive(var.validate_production.http_checks) || issensitive(v1.consecutive_error_limit) ? "a sensitive value" : jsonencode(v1.consecutive_error_limit)}; expected a whole number from 0 to 100." if !nonsensitive(v1.consecutive_error_limit >= 0 && v1.consecutive_error_limit <= 100 && floor(v1.consecutive_error_limit) == v1.consecutive_error_limit)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(v1.initial_delay >= 0 && v1.initial_delay <= 600)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.initial_delay is ${issensitive(var.validate_production.http_checks) || issensitive(v1.initial_delay) ? "a sensitive value" : jsonencode(v1.initial_delay)}; expected seconds from 0 to 600." if !nonsensitive(v1.initial_delay >= 0 && v1.initial_delay <= 600)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(contains(["fail", "warn"], v1.severity))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.severity is ${issensitive(var.validate_production.http_checks) || issensitive(v1.severity) ? "a sensitive value" : jsonencode(v1.severity)}; expected \"fail\" or \"warn\". \"skip\" goes into the hook's checks." if !nonsensitive(contains(["fail", "warn"], v1.severity))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.http_checks : nonsensitive(v1.samples == null ? true : v1.samples >= 0 && v1.samples <= 10000 && floor(v1.samples) == v1.samples)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.http_checks : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.samples is ${issensitive(var.validate_production.http_checks) || issensitive(v1.samples) ? "a sensitive value" : jsonencode(v1.samples)}; expected a whole number from 0 to 10000, or null." if !nonsensitive(v1.samples == null ? true : v1.samples >= 0 && v1.samples <= 10000 && floor(v1.samples) == v1.samples)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.flows : nonsensitive(v1.steps == null ? false : length(coalesce(v1.steps, [])) >= 1 && length(coalesce(v1.steps, [])) <= 100)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.flows : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps has ${length(coalesce(v1.steps, []))} entries; expected 1 to 100." if !nonsensitive(v1.steps == null ? false : length(coalesce(v1.steps, [])) >= 1 && length(coalesce(v1.steps, [])) <= 100)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.flows : nonsensitive(contains(["fail", "warn"], v1.severity))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.flows : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.severity is ${issensitive(var.validate_production.flows) || issensitive(v1.severity) ? "a sensitive value" : jsonencode(v1.severity)}; expected \"fail\" or \"warn\". \"skip\" goes into the hook's checks." if !nonsensitive(contains(["fail", "warn"], v1.severity))]))
  }

  validation {
    condition     = var.validate_production.thresholds.error_rate == null ? true : var.validate_production.thresholds.error_rate >= 0 && var.validate_production.thresholds.error_rate <= 1
    error_message = nonsensitive("validate_production.thresholds.error_rate is ${issensitive(var.validate_production.thresholds.error_rate) ? "a sensitive value" : jsonencode(var.validate_production.thresholds.error_rate)}; expected a share from 0 to 1, or null. 0.01 is one in a hundred.")
  }

  validation {
    condition     = var.validate_production.thresholds.p50_ms == null ? true : var.validate_production.thresholds.p50_ms >= 0.001 && var.validate_production.thresholds.p50_ms <= 3600000
    error_message = nonsensitive("validate_production.thresholds.p50_ms is ${issensitive(var.validate_production.thresholds.p50_ms) ? "a sensitive value" : jsonencode(var.validate_production.thresholds.p50_ms)}; expected milliseconds from 0.001 to 3600000, or null.")
  }

  validation {
    condition     = var.validate_production.thresholds.p90_ms == null ? true : var.validate_production.thresholds.p90_ms >= 0.001 && var.validate_production.thresholds.p90_ms <= 3600000
    error_message = nonsensitive("validate_production.thresholds.p90_ms is ${issensitive(var.validate_production.thresholds.p90_ms) ? "a sensitive value" : jsonencode(var.validate_production.thresholds.p90_ms)}; expected milliseconds from 0.001 to 3600000, or null.")
  }

  validation {
    condition     = var.validate_production.thresholds.p95_ms == null ? true : var.validate_production.thresholds.p95_ms >= 0.001 && var.validate_production.thresholds.p95_ms <= 3600000
    error_message = nonsensitive("validate_production.thresholds.p95_ms is ${issensitive(var.validate_production.thresholds.p95_ms) ? "a sensitive value" : jsonencode(var.validate_production.thresholds.p95_ms)}; expected milliseconds from 0.001 to 3600000, or null.")
  }

  validation {
    condition     = var.validate_production.thresholds.p99_ms == null ? true : var.validate_production.thresholds.p99_ms >= 0.001 && var.validate_production.thresholds.p99_ms <= 3600000
    error_message = nonsensitive("validate_production.thresholds.p99_ms is ${issensitive(var.validate_production.thresholds.p99_ms) ? "a sensitive value" : jsonencode(var.validate_production.thresholds.p99_ms)}; expected milliseconds from 0.001 to 3600000, or null.")
  }

  validation {
    condition     = var.validate_production.thresholds.max_ms == null ? true : var.validate_production.thresholds.max_ms >= 0.001 && var.validate_production.thresholds.max_ms <= 3600000
    error_message = nonsensitive("validate_production.thresholds.max_ms is ${issensitive(var.validate_production.thresholds.max_ms) ? "a sensitive value" : jsonencode(var.validate_production.thresholds.max_ms)}; expected milliseconds from 0.001 to 3600000, or null.")
  }

  validation {
    condition     = var.validate_production.thresholds.unhealthy_hosts >= 0 && var.validate_production.thresholds.unhealthy_hosts <= 10000
    error_message = nonsensitive("validate_production.thresholds.unhealthy_hosts is ${issensitive(var.validate_production.thresholds.unhealthy_hosts) ? "a sensitive value" : jsonencode(var.validate_production.thresholds.unhealthy_hosts)}; expected targets from 0 to 10000.")
  }

  validation {
    condition     = var.validate_production.thresholds.rejected_connections == null ? true : var.validate_production.thresholds.rejected_connections >= 0 && var.validate_production.thresholds.rejected_connections <= 1000000000
    error_message = nonsensitive("validate_production.thresholds.rejected_connections is ${issensitive(var.validate_production.thresholds.rejected_connections) ? "a sensitive value" : jsonencode(var.validate_production.thresholds.rejected_connections)}; expected connections from 0 to 1000000000, or null.")
  }

  validation {
    condition     = var.validate_production.thresholds.cpu_percent == null ? true : var.validate_production.thresholds.cpu_percent >= 0.001 && var.validate_production.thresholds.cpu_percent <= 1000000
    error_message = nonsensitive("validate_production.thresholds.cpu_percent is ${issensitive(var.validate_production.thresholds.cpu_percent) ? "a sensitive value" : jsonencode(var.validate_production.thresholds.cpu_percent)}; expected percent from 0.001 to 1000000, or null.")
  }

  validation {
    condition     = var.validate_production.thresholds.memory_percent == null ? true : var.validate_production.thresholds.memory_percent >= 0.001 && var.validate_production.thresholds.memory_percent <= 1000000
    error_message = nonsensitive("validate_production.thresholds.memory_percent is ${issensitive(var.validate_production.thresholds.memory_percent) ? "a sensitive value" : jsonencode(var.validate_production.thresholds.memory_percent)}; expected percent from 0.001 to 1000000, or null.")
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.smoke_test[*] : nonsensitive(v1.container == null ? true : can(regex("^(?:[A-Za-z0-9_-]{1,255})$", v1.container)))])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.smoke_test[*] : "validate_production.smoke_test.container is ${issensitive(var.validate_production.smoke_test[*]) || issensitive(v1.container) ? "a sensitive value" : jsonencode(v1.container)}; expected a container's name in the task definition (up to 255 letters, digits, hyphens and underscores), or null." if !nonsensitive(v1.container == null ? true : can(regex("^(?:[A-Za-z0-9_-]{1,255})$", v1.container)))]))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_production.smoke_test[*] : [for k2, v2 in v1.environment : nonsensitive(can(regex("^(?:(?s:.+))$", k2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_production.smoke_test[*] : [for k2, v2 in v1.environment : "validate_production.smoke_test.environment has a key of ${length(k2)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k2))}; expected a variable's name." if !nonsensitive(can(regex("^(?:(?s:.+))$", k2)))]])))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.smoke_test[*] : nonsensitive(v1.cpu == null ? true : v1.cpu >= 128 && v1.cpu <= 16384 && floor(v1.cpu) == v1.cpu)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.smoke_test[*] : "validate_production.smoke_test.cpu is ${issensitive(var.validate_production.smoke_test[*]) || issensitive(v1.cpu) ? "a sensitive value" : jsonencode(v1.cpu)}; expected a whole number of CPU units from 128 to 16384, or null." if !nonsensitive(v1.cpu == null ? true : v1.cpu >= 128 && v1.cpu <= 16384 && floor(v1.cpu) == v1.cpu)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.smoke_test[*] : nonsensitive(v1.memory == null ? true : v1.memory >= 128 && v1.memory <= 122880 && floor(v1.memory) == v1.memory)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.smoke_test[*] : "validate_production.smoke_test.memory is ${issensitive(var.validate_production.smoke_test[*]) || issensitive(v1.memory) ? "a sensitive value" : jsonencode(v1.memory)}; expected a whole number of MiB from 128 to 122880, or null." if !nonsensitive(v1.memory == null ? true : v1.memory >= 128 && v1.memory <= 122880 && floor(v1.memory) == v1.memory)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.smoke_test[*] : nonsensitive(v1.subnets == null ? true : length(coalesce(v1.subnets, [])) >= 1 && length(coalesce(v1.subnets, [])) <= 16)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.smoke_test[*] : "validate_production.smoke_test.subnets has ${length(coalesce(v1.subnets, []))} entries; expected 1 to 16, or null." if !nonsensitive(v1.subnets == null ? true : length(coalesce(v1.subnets, [])) >= 1 && length(coalesce(v1.subnets, [])) <= 16)]))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_production.smoke_test[*] : [for k2, v2 in coalesce(v1.subnets, []) : nonsensitive(can(regex("^(?:subnet-[0-9a-z]+)$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_production.smoke_test[*] : [for k2, v2 in coalesce(v1.subnets, []) : "validate_production.smoke_test.subnets[${k2}] is ${issensitive(var.validate_production.smoke_test[*]) || issensitive(coalesce(v1.subnets, [])) || issensitive(v2) ? "a sensitive value" : jsonencode(v2)}; expected ids such as \"subnet-0123456789abcdef0\"." if !nonsensitive(can(regex("^(?:subnet-[0-9a-z]+)$", v2)))]])))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.smoke_test[*] : nonsensitive(v1.security_groups == null ? true : length(coalesce(v1.security_groups, [])) >= 1 && length(coalesce(v1.security_groups, [])) <= 5)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.smoke_test[*] : "validate_production.smoke_test.security_groups has ${length(coalesce(v1.security_groups, []))} entries; expected 1 to 5, or null." if !nonsensitive(v1.security_groups == null ? true : length(coalesce(v1.security_groups, [])) >= 1 && length(coalesce(v1.security_groups, [])) <= 5)]))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_production.smoke_test[*] : [for k2, v2 in coalesce(v1.security_groups, []) : nonsensitive(can(regex("^(?:sg-[0-9a-z]+)$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_production.smoke_test[*] : [for k2, v2 in coalesce(v1.security_groups, []) : "validate_production.smoke_test.security_groups[${k2}] is ${issensitive(var.validate_production.smoke_test[*]) || issensitive(coalesce(v1.security_groups, [])) || issensitive(v2) ? "a sensitive value" : jsonencode(v2)}; expected ids such as \"sg-0123456789abcdef0\"." if !nonsensitive(can(regex("^(?:sg-[0-9a-z]+)$", v2)))]])))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.smoke_test[*] : nonsensitive(v1.launch == null ? true : can(regex("^(?:[A-Za-z0-9_-]{1,255})$", v1.launch)))])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.smoke_test[*] : "validate_production.smoke_test.launch is ${issensitive(var.validate_production.smoke_test[*]) || issensitive(v1.launch) ? "a sensitive value" : jsonencode(v1.launch)}; expected \"FARGATE\", \"EC2\", \"EXTERNAL\" or a capacity provider's name, or null." if !nonsensitive(v1.launch == null ? true : can(regex("^(?:[A-Za-z0-9_-]{1,255})$", v1.launch)))]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.smoke_test[*] : nonsensitive(v1.log_lines >= 0 && v1.log_lines <= 1000 && floor(v1.log_lines) == v1.log_lines)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.smoke_test[*] : "validate_production.smoke_test.log_lines is ${issensitive(var.validate_production.smoke_test[*]) || issensitive(v1.log_lines) ? "a sensitive value" : jsonencode(v1.log_lines)}; expected a whole number from 0 to 1000." if !nonsensitive(v1.log_lines >= 0 && v1.log_lines <= 1000 && floor(v1.log_lines) == v1.log_lines)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.smoke_test[*] : nonsensitive(v1.pass_role_arns == null ? true : length(coalesce(v1.pass_role_arns, [])) >= 1 && length(coalesce(v1.pass_role_arns, [])) <= 100)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.smoke_test[*] : "validate_production.smoke_test.pass_role_arns has ${length(coalesce(v1.pass_role_arns, []))} entries; expected 1 to 100, or null." if !nonsensitive(v1.pass_role_arns == null ? true : length(coalesce(v1.pass_role_arns, [])) >= 1 && length(coalesce(v1.pass_role_arns, [])) <= 100)]))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_production.smoke_test[*] : [for k2, v2 in coalesce(v1.pass_role_arns, []) : nonsensitive(can(regex("^(?:arn:[a-z-]+:iam::[0-9]{12}:role/.+)$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_production.smoke_test[*] : [for k2, v2 in coalesce(v1.pass_role_arns, []) : "validate_production.smoke_test.pass_role_arns[${k2}] is ${issensitive(var.validate_production.smoke_test[*]) || issensitive(coalesce(v1.pass_role_arns, [])) || issensitive(v2) ? "a sensitive value" : jsonencode(v2)}; expected roles' ARNs such as \"arn:aws:iam::111122223333:role/web-task\"." if !nonsensitive(can(regex("^(?:arn:[a-z-]+:iam::[0-9]{12}:role/.+)$", v2)))]])))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.smoke_test[*] : nonsensitive(v1.command == null ? true : length(coalesce(v1.command, [])) >= 1 && length(coalesce(v1.command, [])) <= 1000)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.smoke_test[*] : "validate_production.smoke_test.command has ${length(coalesce(v1.command, []))} entries; expected 1 to 1000, or null." if !nonsensitive(v1.command == null ? true : length(coalesce(v1.command, [])) >= 1 && length(coalesce(v1.command, [])) <= 1000)]))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_production.smoke_test[*] : [for k2, v2 in coalesce(v1.command, []) : nonsensitive(can(regex("^(?:(?s:.+))$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_production.smoke_test[*] : [for k2, v2 in coalesce(v1.command, []) : "validate_production.smoke_test.command[${k2}] is ${issensitive(var.validate_production.smoke_test[*]) || issensitive(coalesce(v1.command, [])) || issensitive(v2) ? "a sensitive value" : jsonencode(v2)}; expected words, none of them empty, such as [\"alembic\", \"upgrade\", \"head\"]." if !nonsensitive(can(regex("^(?:(?s:.+))$", v2)))]])))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.smoke_test[*] : nonsensitive(v1.task_definition == null ? true : can(regex("^(?:(arn:[a-z-]+:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/)?[A-Za-z0-9_-]{1,255}(:[0-9]+)?)$", v1.task_definition)))])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.smoke_test[*] : "validate_production.smoke_test.task_definition is ${issensitive(var.validate_production.smoke_test[*]) || issensitive(v1.task_definition) ? "a sensitive value" : jsonencode(v1.task_definition)}; expected a family, a family with its revision (\"web-smoke:7\"), or an ARN, or null." if !nonsensitive(v1.task_definition == null ? true : can(regex("^(?:(arn:[a-z-]+:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/)?[A-Za-z0-9_-]{1,255}(:[0-9]+)?)$", v1.task_definition)))]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.smoke_test[*] : nonsensitive(v1.timeout >= 1 && v1.timeout <= 840)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.smoke_test[*] : "validate_production.smoke_test.timeout is ${issensitive(var.validate_production.smoke_test[*]) || issensitive(v1.timeout) ? "a sensitive value" : jsonencode(v1.timeout)}; expected seconds from 1 to 840." if !nonsensitive(v1.timeout >= 1 && v1.timeout <= 840)]))
  }

  validation {
    condition     = var.validate_production.baseline.max_worse_percent >= 0 && var.validate_production.baseline.max_worse_percent <= 1000000
    error_message = nonsensitive("validate_production.baseline.max_worse_percent is ${issensitive(var.validate_production.baseline.max_worse_percent) ? "a sensitive value" : jsonencode(var.validate_production.baseline.max_worse_percent)}; expected percent from 0 to 1000000.")
  }

  validation {
    condition     = var.validate_production.baseline.tolerance >= 0 && var.validate_production.baseline.tolerance <= 1
    error_message = nonsensitive("validate_production.baseline.tolerance is ${issensitive(var.validate_production.baseline.tolerance) ? "a sensitive value" : jsonencode(var.validate_production.baseline.tolerance)}; expected a share from 0 to 1.")
  }

  validation {
    condition     = var.validate_production.baseline.confidence >= 0.5 && var.validate_production.baseline.confidence <= 0.9999
    error_message = nonsensitive("validate_production.baseline.confidence is ${issensitive(var.validate_production.baseline.confidence) ? "a sensitive value" : jsonencode(var.validate_production.baseline.confidence)}; expected a confidence from 0.5 to 0.9999.")
  }

  validation {
    condition     = var.validate_production.baseline.noise_ms >= 0 && var.validate_production.baseline.noise_ms <= 3600000
    error_message = nonsensitive("validate_production.baseline.noise_ms is ${issensitive(var.validate_production.baseline.noise_ms) ? "a sensitive value" : jsonencode(var.validate_production.baseline.noise_ms)}; expected milliseconds from 0 to 3600000.")
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(v1.namespace == null ? false : can(regex("^(?:(?s:.+))$", v1.namespace)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.namespace is ${issensitive(var.validate_production.metrics) || issensitive(v1.namespace) ? "a sensitive value" : jsonencode(v1.namespace)}; expected a namespace." if !nonsensitive(v1.namespace == null ? false : can(regex("^(?:(?s:.+))$", v1.namespace)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(v1.metric_name == null ? false : can(regex("^(?:(?s:.+))$", v1.metric_name)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.metric_name is ${issensitive(var.validate_production.metrics) || issensitive(v1.metric_name) ? "a sensitive value" : jsonencode(v1.metric_name)}; expected a metric's name." if !nonsensitive(v1.metric_name == null ? false : can(regex("^(?:(?s:.+))$", v1.metric_name)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(length(v1.dimensions) >= 0 && length(v1.dimensions) <= 30)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.dimensions has ${length(v1.dimensions)} entries; expected 0 to 30." if !nonsensitive(length(v1.dimensions) >= 0 && length(v1.dimensions) <= 30)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(can(regex("^(?:Average|Sum|Minimum|Maximum|SampleCount|p([0-9]{1,2}(\\.[0-9]+)?|100))$", v1.statistic)))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.statistic is ${issensitive(var.validate_production.metrics) || issensitive(v1.statistic) ? "a sensitive value" : jsonencode(v1.statistic)}; expected \"Average\", \"Sum\", \"Minimum\", \"Maximum\", \"SampleCount\" or a percentile such as \"p99\" or \"p99.9\"." if !nonsensitive(can(regex("^(?:Average|Sum|Minimum|Maximum|SampleCount|p([0-9]{1,2}(\\.[0-9]+)?|100))$", v1.statistic)))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(v1.period >= 1 && v1.period <= 86400 && floor(v1.period) == v1.period)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.period is ${issensitive(var.validate_production.metrics) || issensitive(v1.period) ? "a sensitive value" : jsonencode(v1.period)}; expected a whole number of seconds from 1 to 86400." if !nonsensitive(v1.period >= 1 && v1.period <= 86400 && floor(v1.period) == v1.period)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(v1.min_datapoints >= 1 && v1.min_datapoints <= 10000 && floor(v1.min_datapoints) == v1.min_datapoints)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.min_datapoints is ${issensitive(var.validate_production.metrics) || issensitive(v1.min_datapoints) ? "a sensitive value" : jsonencode(v1.min_datapoints)}; expected a whole number from 1 to 10000." if !nonsensitive(v1.min_datapoints >= 1 && v1.min_datapoints <= 10000 && floor(v1.min_datapoints) == v1.min_datapoints)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(v1.failure_limit >= 0 && v1.failure_limit <= 10000 && floor(v1.failure_limit) == v1.failure_limit)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.failure_limit is ${issensitive(var.validate_production.metrics) || issensitive(v1.failure_limit) ? "a sensitive value" : jsonencode(v1.failure_limit)}; expected a whole number from 0 to 10000." if !nonsensitive(v1.failure_limit >= 0 && v1.failure_limit <= 10000 && floor(v1.failure_limit) == v1.failure_limit)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(contains(["fail", "pass"], v1.no_data))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.no_data is ${issensitive(var.validate_production.metrics) || issensitive(v1.no_data) ? "a sensitive value" : jsonencode(v1.no_data)}; expected \"fail\" or \"pass\"." if !nonsensitive(contains(["fail", "pass"], v1.no_data))]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(v1.max_worse_percent == null ? true : v1.max_worse_percent >= 0 && v1.max_worse_percent <= 1000000)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.max_worse_percent is ${issensitive(var.validate_production.metrics) || issensitive(v1.max_worse_percent) ? "a sensitive value" : jsonencode(v1.max_worse_percent)}; expected percent from 0 to 1000000, or null." if !nonsensitive(v1.max_worse_percent == null ? true : v1.max_worse_percent >= 0 && v1.max_worse_percent <= 1000000)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(contains(["increase", "decrease", "either"], v1.direction))])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.direction is ${issensitive(var.validate_production.metrics) || issensitive(v1.direction) ? "a sensitive value" : jsonencode(v1.direction)}; expected \"increase\", \"decrease\" or \"either\"." if !nonsensitive(contains(["increase", "decrease", "either"], v1.direction))]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(v1.rate == null ? false : v1.rate >= 0.001 && v1.rate <= 10000)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.rate is ${issensitive(var.validate_production.load[*]) || issensitive(v1.rate) ? "a sensitive value" : jsonencode(v1.rate)}; expected requests a second from 0.001 to 10000." if !nonsensitive(v1.rate == null ? false : v1.rate >= 0.001 && v1.rate <= 10000)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(v1.duration == null ? false : v1.duration >= 0.001 && v1.duration <= 600)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.duration is ${issensitive(var.validate_production.load[*]) || issensitive(v1.duration) ? "a sensitive value" : jsonencode(v1.duration)}; expected seconds from 0.001 to 600." if !nonsensitive(v1.duration == null ? false : v1.duration >= 0.001 && v1.duration <= 600)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(v1.error_rate >= 0 && v1.error_rate <= 1)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.error_rate is ${issensitive(var.validate_production.load[*]) || issensitive(v1.error_rate) ? "a sensitive value" : jsonencode(v1.error_rate)}; expected a share from 0 to 1. 0.01 is one in a hundred." if !nonsensitive(v1.error_rate >= 0 && v1.error_rate <= 1)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(v1.p50_ms == null ? true : v1.p50_ms >= 0.001 && v1.p50_ms <= 3600000)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.p50_ms is ${issensitive(var.validate_production.load[*]) || issensitive(v1.p50_ms) ? "a sensitive value" : jsonencode(v1.p50_ms)}; expected milliseconds from 0.001 to 3600000, or null." if !nonsensitive(v1.p50_ms == null ? true : v1.p50_ms >= 0.001 && v1.p50_ms <= 3600000)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(v1.p90_ms == null ? true : v1.p90_ms >= 0.001 && v1.p90_ms <= 3600000)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.p90_ms is ${issensitive(var.validate_production.load[*]) || issensitive(v1.p90_ms) ? "a sensitive value" : jsonencode(v1.p90_ms)}; expected milliseconds from 0.001 to 3600000, or null." if !nonsensitive(v1.p90_ms == null ? true : v1.p90_ms >= 0.001 && v1.p90_ms <= 3600000)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(v1.p95_ms == null ? true : v1.p95_ms >= 0.001 && v1.p95_ms <= 3600000)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.p95_ms is ${issensitive(var.validate_production.load[*]) || issensitive(v1.p95_ms) ? "a sensitive value" : jsonencode(v1.p95_ms)}; expected milliseconds from 0.001 to 3600000, or null." if !nonsensitive(v1.p95_ms == null ? true : v1.p95_ms >= 0.001 && v1.p95_ms <= 3600000)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(v1.p99_ms == null ? true : v1.p99_ms >= 0.001 && v1.p99_ms <= 3600000)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.p99_ms is ${issensitive(var.validate_production.load[*]) || issensitive(v1.p99_ms) ? "a sensitive value" : jsonencode(v1.p99_ms)}; expected milliseconds from 0.001 to 3600000, or null." if !nonsensitive(v1.p99_ms == null ? true : v1.p99_ms >= 0.001 && v1.p99_ms <= 3600000)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(v1.max_ms == null ? true : v1.max_ms >= 0.001 && v1.max_ms <= 3600000)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.max_ms is ${issensitive(var.validate_production.load[*]) || issensitive(v1.max_ms) ? "a sensitive value" : jsonencode(v1.max_ms)}; expected milliseconds from 0.001 to 3600000, or null." if !nonsensitive(v1.max_ms == null ? true : v1.max_ms >= 0.001 && v1.max_ms <= 3600000)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(can(regex("^(?:/[!-~]*)$", v1.path)))])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.path is ${issensitive(var.validate_production.load[*]) || issensitive(v1.path) ? "a sensitive value" : can(regex("[?#@]", v1.path)) ? "an address of ${length(v1.path)} characters" : jsonencode(v1.path)}; expected a path and query that begin with \"/\", printable and without spaces." if !nonsensitive(can(regex("^(?:/[!-~]*)$", v1.path)))]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(v1.host == null ? true : can(regex("^(?:[A-Za-z0-9.:_-]+)$", v1.host)))])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.host is ${issensitive(var.validate_production.load[*]) || issensitive(v1.host) ? "a sensitive value" : jsonencode(v1.host)}; expected a host name such as \"www.example.com\", or null." if !nonsensitive(v1.host == null ? true : can(regex("^(?:[A-Za-z0-9.:_-]+)$", v1.host)))]))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_production.load[*] : [for k2, v2 in v1.headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_production.load[*] : [for k2, v2 in v1.headers : "validate_production.load.headers has a key of ${length(k2)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k2))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k2)))]])))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_production.load[*] : [for k2, v2 in v1.headers : nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_production.load[*] : [for k2, v2 in v1.headers : "validate_production.load.headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"} is ${issensitive(var.validate_production.load[*]) || issensitive(v1.headers) || issensitive(v2) ? "a sensitive value" : "a text of ${length(v2)} characters"}; expected a header's value: text without line breaks and control characters that begins with no space." if !nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v2)))]])))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(v1.warm_up >= 0 && v1.warm_up <= 300)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.warm_up is ${issensitive(var.validate_production.load[*]) || issensitive(v1.warm_up) ? "a sensitive value" : jsonencode(v1.warm_up)}; expected seconds from 0 to 300." if !nonsensitive(v1.warm_up >= 0 && v1.warm_up <= 300)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(v1.concurrency >= 1 && v1.concurrency <= 256 && floor(v1.concurrency) == v1.concurrency)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.concurrency is ${issensitive(var.validate_production.load[*]) || issensitive(v1.concurrency) ? "a sensitive value" : jsonencode(v1.concurrency)}; expected a whole number from 1 to 256." if !nonsensitive(v1.concurrency >= 1 && v1.concurrency <= 256 && floor(v1.concurrency) == v1.concurrency)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(v1.timeout >= 0.001 && v1.timeout <= 60)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.timeout is ${issensitive(var.validate_production.load[*]) || issensitive(v1.timeout) ? "a sensitive value" : jsonencode(v1.timeout)}; expected seconds from 0.001 to 60." if !nonsensitive(v1.timeout >= 0.001 && v1.timeout <= 60)]))
  }

  validation {
    condition     = alltrue([for v1 in var.validate_production.load[*] : nonsensitive(length(coalesce(v1.status, [])) >= 1 && length(coalesce(v1.status, [])) <= 100)])
    error_message = nonsensitive(join("\n", [for v1 in var.validate_production.load[*] : "validate_production.load.status has ${length(coalesce(v1.status, []))} entries; expected 1 to 100." if !nonsensitive(length(coalesce(v1.status, [])) >= 1 && length(coalesce(v1.status, [])) <= 100)]))
  }

  validation {
    condition     = alltrue(flatten([for v1 in var.validate_production.load[*] : [for k2, v2 in coalesce(v1.status, []) : nonsensitive(can(regex("^(?:[1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$", v2)))]]))
    error_message = nonsensitive(join("\n", flatten([for v1 in var.validate_production.load[*] : [for k2, v2 in coalesce(v1.status, []) : "validate_production.load.status[${k2}] is ${issensitive(var.validate_production.load[*]) || issensitive(coalesce(v1.status, [])) || issensitive(v2) ? "a sensitive value" : jsonencode(v2)}; expected codes (\"200\"), ranges (\"200-399\") or classes (\"2xx\")." if !nonsensitive(can(regex("^(?:[1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$", v2)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.response_headers : nonsensitive(v2.equals == null ? true : can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v2.equals)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.response_headers : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.response_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"}.equals is ${issensitive(var.validate_production.http_checks) || issensitive(v1.response_headers) || issensitive(v2.equals) ? "a sensitive value" : "a text of ${length(v2.equals)} characters"}; expected a header's value: text without line breaks and control characters that begins with no space, or null." if !nonsensitive(v2.equals == null ? true : can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v2.equals)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.jmespath : nonsensitive(v2.one_of == null ? true : length(coalesce(v2.one_of, [])) >= 1 && length(coalesce(v2.one_of, [])) <= 1000)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.jmespath : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"}.one_of has ${length(coalesce(v2.one_of, []))} entries; expected 1 to 1000, or null." if !nonsensitive(v2.one_of == null ? true : length(coalesce(v2.one_of, [])) >= 1 && length(coalesce(v2.one_of, [])) <= 1000)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.jmespath : nonsensitive(v2.at_least == null ? true : v2.at_least >= -1e+15 && v2.at_least <= 1e+15)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.jmespath : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"}.at_least is ${issensitive(var.validate_production.http_checks) || issensitive(v1.jmespath) || issensitive(v2.at_least) ? "a sensitive value" : jsonencode(v2.at_least)}; expected a number from -1e+15 to 1e+15, or null." if !nonsensitive(v2.at_least == null ? true : v2.at_least >= -1e+15 && v2.at_least <= 1e+15)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.jmespath : nonsensitive(v2.at_most == null ? true : v2.at_most >= -1e+15 && v2.at_most <= 1e+15)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.jmespath : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"}.at_most is ${issensitive(var.validate_production.http_checks) || issensitive(v1.jmespath) || issensitive(v2.at_most) ? "a sensitive value" : jsonencode(v2.at_most)}; expected a number from -1e+15 to 1e+15, or null." if !nonsensitive(v2.at_most == null ? true : v2.at_most >= -1e+15 && v2.at_most <= 1e+15)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.jmespath : nonsensitive(v2.length == null ? true : v2.length >= 0 && v2.length <= 1000000000 && floor(v2.length) == v2.length)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.http_checks : [for k2, v2 in v1.jmespath : "validate_production.http_checks${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k2)) ? ".${k2}" : "[${jsonencode(k2)}]"}.length is ${issensitive(var.validate_production.http_checks) || issensitive(v1.jmespath) || issensitive(v2.length) ? "a sensitive value" : jsonencode(v2.length)}; expected a whole number from 0 to 1000000000, or null." if !nonsensitive(v2.length == null ? true : v2.length >= 0 && v2.length <= 1000000000 && floor(v2.length) == v2.length)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(can(regex("^(?:/[!-~]*)$", v2.path)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].path is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.path) ? "a sensitive value" : can(regex("[?#@]", v2.path)) ? "an address of ${length(v2.path)} characters" : jsonencode(v2.path)}; expected a path and query that begin with \"/\", printable and without spaces. A whole address goes into url." if !nonsensitive(can(regex("^(?:/[!-~]*)$", v2.path)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.url == null ? true : can(regex("^(?:[Hh][Tt][Tt][Pp][Ss]?://[!$-.0->@-~][!-~]*)$", v2.url)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].url is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.url) ? "a sensitive value" : can(regex("[?#@]", v2.url)) ? "an address of ${length(v2.url)} characters" : jsonencode(v2.url)}; expected an address such as \"https://www.example.com/health\", or null." if !nonsensitive(v2.url == null ? true : can(regex("^(?:[Hh][Tt][Tt][Pp][Ss]?://[!$-.0->@-~][!-~]*)$", v2.url)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(contains(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], v2.method))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].method is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.method) ? "a sensitive value" : jsonencode(v2.method)}; expected \"GET\", \"HEAD\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\" or \"OPTIONS\"." if !nonsensitive(contains(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], v2.method))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.host == null ? true : can(regex("^(?:[A-Za-z0-9.:_-]+)$", v2.host)))]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].host is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.host) ? "a sensitive value" : jsonencode(v2.host)}; expected a host name such as \"www.example.com\", or null." if !nonsensitive(v2.host == null ? true : can(regex("^(?:[A-Za-z0-9.:_-]+)$", v2.host)))]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.headers : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].headers has a key of ${length(k3)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k3))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.headers : nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.headers : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"} is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.headers) || issensitive(v3) ? "a sensitive value" : "a text of ${length(v3)} characters"}; expected a header's value: text without line breaks and control characters that begins with no space." if !nonsensitive(can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.secret_headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.secret_headers : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].secret_headers has a key of ${length(k3)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k3))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.secret_headers : nonsensitive(can(regex("^(?:([!-~]+ )?arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(:[^:]+)?|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+))$", v3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.secret_headers : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].secret_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"} is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.secret_headers) || issensitive(v3) ? "a sensitive value" : "a text of ${length(v3)} characters"}; expected the ARN of a Secrets Manager secret or SSM parameter, alone or after one word (\"Bearer arn:\u2026\"). The value itself belongs there, not here." if !nonsensitive(can(regex("^(?:([!-~]+ )?arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(:[^:]+)?|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+))$", v3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.timeout >= 0.001 && v2.timeout <= 60)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].timeout is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.timeout) ? "a sensitive value" : jsonencode(v2.timeout)}; expected seconds from 0.001 to 60." if !nonsensitive(v2.timeout >= 0.001 && v2.timeout <= 60)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.max_body >= 1 && v2.max_body <= 10000000 && floor(v2.max_body) == v2.max_body)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].max_body is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.max_body) ? "a sensitive value" : jsonencode(v2.max_body)}; expected a whole number of bytes from 1 to 10000000." if !nonsensitive(v2.max_body >= 1 && v2.max_body <= 10000000 && floor(v2.max_body) == v2.max_body)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(length(coalesce(v2.status, [])) >= 1 && length(coalesce(v2.status, [])) <= 100)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].status has ${length(coalesce(v2.status, []))} entries; expected 1 to 100." if !nonsensitive(length(coalesce(v2.status, [])) >= 1 && length(coalesce(v2.status, [])) <= 100)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in coalesce(v2.status, []) : nonsensitive(can(regex("^(?:[1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$", v3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in coalesce(v2.status, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].status[${k3}] is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(coalesce(v2.status, [])) || issensitive(v3) ? "a sensitive value" : jsonencode(v3)}; expected codes (\"200\"), ranges (\"200-399\") or classes (\"2xx\")." if !nonsensitive(can(regex("^(?:[1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$", v3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.response_headers : nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.response_headers : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].response_headers has a key of ${length(k3)} characters that begins with ${jsonencode(regex("^[A-Za-z0-9_-]*", k3))}; expected a header's name: letters, digits and hyphens, no colon." if !nonsensitive(can(regex("^(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$", k3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.max_latency_ms == null ? true : v2.max_latency_ms >= 0.001 && v2.max_latency_ms <= 3600000)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].max_latency_ms is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.max_latency_ms) ? "a sensitive value" : jsonencode(v2.max_latency_ms)}; expected milliseconds from 0.001 to 3600000, or null." if !nonsensitive(v2.max_latency_ms == null ? true : v2.max_latency_ms >= 0.001 && v2.max_latency_ms <= 3600000)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.interval >= 0 && v2.interval <= 60)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].interval is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.interval) ? "a sensitive value" : jsonencode(v2.interval)}; expected seconds from 0 to 60." if !nonsensitive(v2.interval >= 0 && v2.interval <= 60)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.attempts >= 1 && v2.attempts <= 100 && floor(v2.attempts) == v2.attempts)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].attempts is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.attempts) ? "a sensitive value" : jsonencode(v2.attempts)}; expected a whole number from 1 to 100." if !nonsensitive(v2.attempts >= 1 && v2.attempts <= 100 && floor(v2.attempts) == v2.attempts)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.consecutive_successes >= 1 && v2.consecutive_successes <= 100 && floor(v2.consecutive_successes) == v2.consecutive_successes)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].consecutive_successes is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.consecutive_successes) ? "a sensitive value" : jsonencode(v2.consecutive_successes)}; expected a whole number from 1 to 100." if !nonsensitive(v2.consecutive_successes >= 1 && v2.consecutive_successes <= 100 && floor(v2.consecutive_successes) == v2.consecutive_successes)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : nonsensitive(v2.consecutive_error_limit >= 0 && v2.consecutive_error_limit <= 100 && floor(v2.consecutive_error_limit) == v2.consecutive_error_limit)]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].consecutive_error_limit is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.consecutive_error_limit) ? "a sensitive value" : jsonencode(v2.consecutive_error_limit)}; expected a whole number from 0 to 100." if !nonsensitive(v2.consecutive_error_limit >= 0 && v2.consecutive_error_limit <= 100 && floor(v2.consecutive_error_limit) == v2.consecutive_error_limit)]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.save : nonsensitive(can(regex("^(?:[a-z][a-z0-9_]*)$", k3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.save : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].save has the key ${jsonencode(k3)}; expected a name to use as {name}: a small letter, then small letters, digits and underscores." if !nonsensitive(can(regex("^(?:[a-z][a-z0-9_]*)$", k3)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.save : nonsensitive(can(regex("^(?:(?s:.+))$", v3)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.save : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].save${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"} is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.save) || issensitive(v3) ? "a sensitive value" : jsonencode(v3)}; expected a JMESPath expression of the answer, or \"header:<name>\"." if !nonsensitive(can(regex("^(?:(?s:.+))$", v3)))]]])))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(v1.threshold_range.min == null ? true : v1.threshold_range.min >= -1e+15 && v1.threshold_range.min <= 1e+15)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.threshold_range.min is ${issensitive(var.validate_production.metrics) || issensitive(v1.threshold_range.min) ? "a sensitive value" : jsonencode(v1.threshold_range.min)}; expected a number from -1e+15 to 1e+15, or null." if !nonsensitive(v1.threshold_range.min == null ? true : v1.threshold_range.min >= -1e+15 && v1.threshold_range.min <= 1e+15)]))
  }

  validation {
    condition     = alltrue([for k1, v1 in var.validate_production.metrics : nonsensitive(v1.threshold_range.max == null ? true : v1.threshold_range.max >= -1e+15 && v1.threshold_range.max <= 1e+15)])
    error_message = nonsensitive(join("\n", [for k1, v1 in var.validate_production.metrics : "validate_production.metrics${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.threshold_range.max is ${issensitive(var.validate_production.metrics) || issensitive(v1.threshold_range.max) ? "a sensitive value" : jsonencode(v1.threshold_range.max)}; expected a number from -1e+15 to 1e+15, or null." if !nonsensitive(v1.threshold_range.max == null ? true : v1.threshold_range.max >= -1e+15 && v1.threshold_range.max <= 1e+15)]))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.response_headers : nonsensitive(v3.equals == null ? true : can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v3.equals)))]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.response_headers : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].response_headers${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"}.equals is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.response_headers) || issensitive(v3.equals) ? "a sensitive value" : "a text of ${length(v3.equals)} characters"}; expected a header's value: text without line breaks and control characters that begins with no space, or null." if !nonsensitive(v3.equals == null ? true : can(regex("^(?:([^\\x00-\\x20\\x7f-\\x9f][^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*)?)$", v3.equals)))]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : nonsensitive(v3.one_of == null ? true : length(coalesce(v3.one_of, [])) >= 1 && length(coalesce(v3.one_of, [])) <= 1000)]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"}.one_of has ${length(coalesce(v3.one_of, []))} entries; expected 1 to 1000, or null." if !nonsensitive(v3.one_of == null ? true : length(coalesce(v3.one_of, [])) >= 1 && length(coalesce(v3.one_of, [])) <= 1000)]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : nonsensitive(v3.at_least == null ? true : v3.at_least >= -1e+15 && v3.at_least <= 1e+15)]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"}.at_least is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.jmespath) || issensitive(v3.at_least) ? "a sensitive value" : jsonencode(v3.at_least)}; expected a number from -1e+15 to 1e+15, or null." if !nonsensitive(v3.at_least == null ? true : v3.at_least >= -1e+15 && v3.at_least <= 1e+15)]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : nonsensitive(v3.at_most == null ? true : v3.at_most >= -1e+15 && v3.at_most <= 1e+15)]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"}.at_most is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.jmespath) || issensitive(v3.at_most) ? "a sensitive value" : jsonencode(v3.at_most)}; expected a number from -1e+15 to 1e+15, or null." if !nonsensitive(v3.at_most == null ? true : v3.at_most >= -1e+15 && v3.at_most <= 1e+15)]]])))
  }

  validation {
    condition     = alltrue(flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : nonsensitive(v3.length == null ? true : v3.length >= 0 && v3.length <= 1000000000 && floor(v3.length) == v3.length)]]]))
    error_message = nonsensitive(join("\n", flatten([for k1, v1 in var.validate_production.flows : [for k2, v2 in coalesce(v1.steps, []) : [for k3, v3 in v2.jmespath : "validate_production.flows${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k1)) ? ".${k1}" : "[${jsonencode(k1)}]"}.steps[${k2}].jmespath${can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", k3)) ? ".${k3}" : "[${jsonencode(k3)}]"}.length is ${issensitive(var.validate_production.flows) || issensitive(coalesce(v1.steps, [])) || issensitive(v2.jmespath) || issensitive(v3.length) ? "a sensitive value" : jsonencode(v3.length)}; expected a whole number from 0 to 1000000000, or null." if !nonsensitive(v3.length == null ? true : v3.length >= 0 && v3.length <= 1000000000 && floor(v3.length) == v3.length)]]])))
  }
}
