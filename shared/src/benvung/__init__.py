"""kit"""

import sys

# structlog would load rich, where it is installed, to colour tracebacks that no service prints: four megabytes
# in the memory of each. The commands, which do print, load it when they need it.
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # how Python is told that there is none
    import structlog  # noqa: F401 -- loaded now, while there is none

    del sys.modules["rich"]
