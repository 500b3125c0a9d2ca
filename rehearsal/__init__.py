"""A whole blue/green deployment on one machine: `python -m rehearsal`."""
