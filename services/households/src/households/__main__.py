"""`python -m households`."""

from households.main import cli

cli()
