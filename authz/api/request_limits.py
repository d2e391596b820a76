"""How many requests an address, a credential, a user and a project may make.

What is set (`REQUESTS_PER_MINUTE`) costs one statement a request; what is not set costs nothing.
"""

from django.conf import settings

from authz.identity.principal import Principal
from authz.limits.rate_headers import tell_rate
from authz.limits.rates import Rate, correct, take
from intmod_site.api.errors import TooManyRequests
from intmod_site.client_address import home_of

OF_CALLERS = frozenset({"credential", "user", "project"})


def limit_address(address: str | None) -> None:
    """Take a request of an address, before anything is known of who asks.

    Raises:
        TooManyRequests: It has made too many.
    """
    # Asked first, as below: every request comes by here.
    if "address" in settings.REQUESTS_PER_MINUTE:
        _take("address", home_of(address), "your address")


def limit_token_request(address: str | None) -> None:
    """Take a request for, or about, a token, or a login, which needs no credential.

    Raises:
        TooManyRequests: The address has made too many.
    """
    _take("token_address", home_of(address), "your address for logins and requests about tokens")


def limit_caller(principal: Principal) -> None:
    """Take a request of a credential, its user and its project; what one refuses none pays for.

    Raises:
        TooManyRequests: One of them has made too many.
    """
    if OF_CALLERS.isdisjoint(settings.REQUESTS_PER_MINUTE):
        return
    paid = []
    try:
        for kind, subject, whose in (
            ("credential", principal.credential_id, "this credential"),
            ("user", principal.user_id, f"the user {principal.label}"),
            ("project", principal.project_id, f"the project {principal.project_slug}"),
        ):
            _take(kind, str(subject), whose)
            paid.append((kind, subject))
    except TooManyRequests:
        for kind, subject in paid:
            if limit := settings.REQUESTS_PER_MINUTE.get(kind):
                correct(key=_key(kind, str(subject)), rate=Rate(limit), units=-1)
        raise


def _key(kind: str, subject: str) -> str:
    return f"http:{kind}:{subject}"


def _take(kind: str, subject: str | None, whose: str) -> None:
    limit = settings.REQUESTS_PER_MINUTE.get(kind)
    if not limit or subject is None:
        return
    rate = Rate(limit)
    taken = take(key=_key(kind, subject), rate=rate)
    tell_rate(rate, taken)
    if not taken.allowed:
        raise TooManyRequests(
            f"The limit of {whose} is {limit} requests a minute.",
            code="rate_limited",
            retry_after_s=round(taken.retry_after_s, 3),
        )
