"""`python -m funding`: the same as the command `funding`."""

from funding.main import cli

cli()
