"""`python -m training`: the same as the command `training`."""

from training.main import cli

cli()
