"""How often a password may be tried: never for good, and the same whether the name exists or not.

Tries count for a name at an address, and for a name at all addresses together. Whoever logs in
clears what counted at their address, and stays known there: others who try the name from elsewhere
do not keep them out. An address of IPv6 is its network: a browser takes a new one every day.
"""

import hashlib
from datetime import timedelta
from math import ceil

from django.conf import settings
from django.utils import timezone

from authz.limits.rates import SECOND_US, Rate, Taken, correct, take
from authz.models import RateBucket
from authz.models.usernames import normalized
from intmod_site.api.errors import TooManyRequests
from intmod_site.client_address import home_of

AT_ADDRESS_S, EVERYWHERE_S = 300.0, 3600.0
KNOWN_FOR = timedelta(days=30)


def begin_try(*, username: str, address: str | None) -> None:
    """Take one try, before the password is looked at.

    Raises:
        TooManyRequests: There were too many; nothing says whether there is such a name.
    """
    here = _key("here", username, address)
    _refuse_beyond(take(key=here, rate=_at_address()))
    if not _is_known(username, address):
        _refuse_beyond(take(key=_key("name", username), rate=_everywhere()))


def note_success(*, username: str, address: str | None) -> None:
    """Forget the tries of whoever came in, and know them here from now on."""
    RateBucket.objects.filter(key=_key("here", username, address)).delete()
    if not _is_known(username, address):
        correct(key=_key("name", username), rate=_everywhere(), units=-1)
    until_us = round((timezone.now() + KNOWN_FOR).timestamp() * SECOND_US)
    RateBucket.objects.update_or_create(
        key=_key("known", username, address), defaults={"paid_at_us": until_us}
    )


def _is_known(username: str, address: str | None) -> bool:
    now_us = round(timezone.now().timestamp() * SECOND_US)
    key = _key("known", username, address)
    return RateBucket.objects.filter(key=key, paid_at_us__gt=now_us).exists()


def _at_address() -> Rate:
    return Rate(settings.LOGIN_TRIES_AT_ADDRESS, AT_ADDRESS_S)


def _everywhere() -> Rate:
    return Rate(settings.LOGIN_TRIES_EVERYWHERE, EVERYWHERE_S)


def _key(kind: str, username: str, address: str | None = None) -> str:
    """Give a key that does not show what was typed: it may be a password in the wrong field."""
    typed = f"{normalized(username)}\x00{home_of(address) or ''}".encode(errors="surrogatepass")
    return f"login:{kind}:{hashlib.sha256(typed).hexdigest()}"


def _refuse_beyond(taken: Taken) -> None:
    if not taken.allowed:
        raise TooManyRequests(
            f"Too many tries; try again in {ceil(taken.retry_after_s)} seconds.",
            code="too_many_tries",
            retry_after_s=round(taken.retry_after_s, 3),
        )
