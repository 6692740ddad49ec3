"""The local sign-in provider with one more officer, who enters lists of every province. For the benchmark alone."""

import sys

import typer

from benvung_local.issuer import run
from benvung_local.officers import BY_ID, COMMUNE, Officer
from benvung_local.stack import ISSUER, Stack

OFFICER = "ca-nuoc"


def add_to(stack: Stack) -> None:
    """Let the stack's provider know the officer; before it is started."""
    process = stack.processes[ISSUER]
    process.command = [sys.executable, "-m", "tests.load.national", *process.command[3:]]


if __name__ == "__main__":
    duties = (*COMMUNE, "areas.write")
    BY_ID[OFFICER] = Officer(OFFICER, "Người Nhập Thử", "Nhập số liệu cả nước", duties, ("VN",))
    typer.run(run)
