"""What officers see: the working place of a commune's officer, in Vietnamese first, made for a keyboard and a phone.

Every page works without a script, and a file is sent with its progress where there is one. What a page changes
goes through the same actions as the API, once however often it is sent, and only against the version that the
person saw.
"""

from households.pages import (
    acts,
    deadlines,
    desk,
    form_b,
    household,
    households,
    imports,
    local,
    matching,
    posting,
    review,
    sending,
    village,
)

ROUTERS = (
    desk.router,
    deadlines.router,
    households.router,
    review.router,
    village.router,
    form_b.router,
    posting.router,
    acts.router,
    household.router,
    local.router,
    sending.router,
    imports.router,
    matching.router,
)

__all__ = ["ROUTERS"]
