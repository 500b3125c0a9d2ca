region      = "eu-central-1"
app         = "wiki"
environment = "internal"
image       = "docker.io/example/wiki:0.9"
admin_cidrs = ["198.51.100.7/32"]
