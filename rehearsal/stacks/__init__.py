"""Rehearses a Terraform stack of somebody else: see docs/rehearse-your-stack.md."""
