"""What the five hooks share: event in, checks, verdict, always reported.

Data flows one way, and nobody below reaches up:

    hook ── event, deadline, watchdog, report
     ├─ settings ── the environment, typed
     ├─ overrides ── what the deployment's description asks of the checks (pure)
     ├─ deployment ── what CodeDeploy, ECS and the load balancer say of this deployment
     │   ├─ appspec ── the AppSpec, read (pure)
     │   └─ aws ── clients, time-outs, errors in words
     ├─ release, preflight_… ── what the deployment brings, and whether it can work: for BeforeInstall
     ├─ waiting ── poll until it is so, certain or too late
     ├─ http_checks, metrics, tasks ── looks that need more than a describe call
     └─ verdict ── findings and what they add up to (pure)
"""
