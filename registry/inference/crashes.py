"""Bugs on the way to a provider or back, told to the operator without what they quote."""

import logging
import traceback

from intmod_site.api.errors import InternalError

log = logging.getLogger("intmod.gateway")


def crashed(error: Exception) -> InternalError:
    """Log where it happened, and give what the caller reads instead.

    The message stays out: on this path it may quote a prompt, an answer or a key.
    """
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error(
        "the provider's adapter failed",
        extra={"fields": {"exception": f"{frames}{type(error).__name__}"}},
    )
    return InternalError("The provider's adapter failed. Tell the operator the request id.")
