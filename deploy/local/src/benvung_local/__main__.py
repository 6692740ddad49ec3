"""`python -m benvung_local`: the same as the command `benvung`."""

from benvung_local.main import cli

cli()
