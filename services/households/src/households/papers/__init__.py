"""Papers that a commune gives out, as PDF in the official look: the certificate, and the notice that is posted."""

from households.papers.forms import certificate_form, notice_form
from households.papers.typeset import PaperNotMade, typeset

__all__ = ["PaperNotMade", "certificate_form", "notice_form", "typeset"]
