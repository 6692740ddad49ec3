"""A small disk of our own: an ext4 file system in a file, mounted, that can lose power and can be full.

Needs root and loop devices; `why_not` says in words what is missing.
"""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benvung_local.processes import Owner, private_folder

_LOOP_MAJOR = 7
_FS_IOC_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = 2
_BUSY_SECONDS = 20.0
PREFIX = "benvung-disk"
TOOLS = ("losetup", "mkfs.ext4", "mount", "umount")


def why_not() -> str:
    """Why there can be no such disk here; nothing if there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a disk of its own needs root on Linux"
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"a disk of its own needs {', '.join(missing)}"
    if _run("losetup", "--find").returncode:
        return "a disk of its own needs a free loop device"
    return ""


class Disk:
    """A mounted file system of so many megabytes at `path`."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self._image = folder / "image"
        self.path = folder / "disk"
        with self._image.open("wb") as file:
            file.truncate(megabytes * 2**20)
        _done("mkfs.ext4", "-q", "-m", "0", str(self._image))
        self.path.mkdir()
        self.mount()

    def mount(self) -> None:
        """Make what is on the disk readable; after a power cut the file system recovers itself by this."""
        # The device goes with the mount.
        _done("mount", "-o", "loop", str(self._image), str(self.path))
        self.path.chmod(0o711)

    def sync(self) -> None:
        """Put everything on the disk, so that a cut finds what comes after."""
        _done("sync", "--file-system", str(self.path))

    def lose_power(self) -> None:
        """Forget whatever no fsync asked to keep; nothing is written from here on."""
        disk = os.open(self.path, os.O_RDONLY)
        try:
            # The disk of this machine must never be meant.
            device = os.fstat(disk).st_dev
            assert os.major(device) == _LOOP_MAJOR, f"{self.path} is no loop device"
            assert device != self.path.parent.stat().st_dev
            fcntl.ioctl(disk, _FS_IOC_SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(disk)

    def unmount(self) -> None:
        """Take the disk out as soon as nobody holds a file on it."""
        end = time.monotonic() + _BUSY_SECONDS
        while (done := _run("umount", str(self.path))).returncode:
            assert time.monotonic() < end, done.stderr
            time.sleep(0.05)

    def free(self) -> int:
        """Bytes that can still be written."""
        state = os.statvfs(self.path)
        return state.f_bavail * state.f_frsize

    def fill(self, leave: int = 0) -> Path:
        """Take what is free, but for so many bytes; removing the file that is returned gives it back."""
        filler = self.path / "filler"
        with filler.open("wb") as file, contextlib.suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, max(1, self.free() - leave))
        return filler


@contextlib.contextmanager
def disk(megabytes: int) -> Iterator[Disk]:
    """A disk that is gone when the block ends, whatever happened on it."""
    _take_out_left_behind()
    folder = private_folder(PREFIX, Owner.unprivileged())
    folder.chmod(0o711)
    made = Disk(folder, megabytes)
    try:
        yield made
    finally:
        _run("umount", "--lazy", str(made.path))
        shutil.rmtree(folder, ignore_errors=True)


def _take_out_left_behind() -> None:
    """Unmount what a run that was killed could not."""
    for line in Path("/proc/mounts").read_text().splitlines():
        path = Path(line.split()[1])
        if (
            path.parent.name.startswith(f"{PREFIX}-")
            and not Path(f"/proc/{path.parent.name.split('-')[2]}").exists()
        ):
            _run("umount", "--lazy", str(path))


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _done(*command: str) -> None:
    done = _run(*command)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
