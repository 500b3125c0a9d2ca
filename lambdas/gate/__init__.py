"""What the five hooks share: event in, checks, verdict, always reported.

Data flows one way, and nobody below reaches up:

    platforms ── who calls: reads the event, makes the deployment, delivers the verdict, continues later
     └─ runner ── the checks in order: severity, log line, result; runtime ends them in time and answers once
         ├─ settings, options ── the environment, typed, and every option there is
         ├─ overrides, names, severity ── what may be called off, and by whom (pure)
         ├─ deployment ── what a handler asks of a deployment
         │   ├─ ecs, elb ── services and tasks, listeners and target groups
         │   └─ aws ── clients, time-outs, errors in words
         ├─ release, preflight_… ── for BeforeInstall: what the deployment brings, and whether it can work
         ├─ traffic ── requests to green: attempts, http_checks, http_sender, wire; load
         ├─ figures, metrics, alarms, baseline, statistics ── what CloudWatch counts, and what follows from it
         ├─ smoke_test, task_runs, one_off, tasks, presets ── one-off tasks, and why tasks end
         ├─ waiting ── deadlines, and polling until it is so, terminal or too late
         ├─ events ── the verdict to EventBridge, once it is reported
         └─ verdict ── findings and what they add up to (pure)
"""

# Of the module: in the user agent of every call to AWS, in the events, in dist/manifest.json and the output.
VERSION = "1.0.0"
