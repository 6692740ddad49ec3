"""`python -m reporting`: the same as the command `reporting`."""

from reporting.main import cli

cli()
