"""Three hundred decisions while fifteen faults strike: nothing lost, doubled, reordered or buried by mistake.

TEST_SEED repeats a run; `make faults` makes longer ones.
"""

import os
import secrets
from pathlib import Path

from tests.faults import campaign, site
from tests.system.world import say

REQUESTS, FAULTS, HOUSEHOLDS = 300, 15, 15


def test_whatever_breaks_every_promise_is_kept(tmp_path: Path) -> None:
    seed = int(os.environ.get("TEST_SEED") or secrets.randbelow(10**9))
    say(f"TEST_SEED={seed}")
    with site.running(tmp_path, HOUSEHOLDS) as running:
        result = campaign.run(running, seed, REQUESTS, FAULTS, say)
    say(result.line())
    assert not result.found, "\n".join(f"{each.kind}: {each.text}" for each in result.found)
    assert result.dead_letters == result.poison > 0
