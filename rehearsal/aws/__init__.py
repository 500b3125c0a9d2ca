"""The stand-in for AWS: moto, with what it lacks added and what it gets wrong corrected.

`rehearsal.aws.install.install()` puts the additions into moto's own classes; it serves the rehearsal
(`rehearsal.aws.server.StandIn`) and tests under `mock_aws` alike. What the control plane cannot know by
itself (whether a process runs, whether a target answers, what a function returns) it asks of a
`rehearsal.aws.world.World`.
"""
