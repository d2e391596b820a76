"""One try at a provider that failed, and what the caller reads of it."""

from intmod_site.api.errors import ApiError
from registry.inference.providers.failures import RULES, TRANSPORT_KINDS, Fallback, Kind
from registry.inference.providers.key_masking import shown


class UpstreamError(Exception):
    """One try at one target that failed. The gateway decides what comes of it.

    Args:
        kind: What went wrong; the rule follows from it.
        detail: What the upstream or the transport said; kept short and with keys masked.
        upstream_status: The answer's HTTP status, if there was one.
        retry_after_s: Seconds that the upstream asked to wait.
        retryable: What the upstream itself said of trying again; the rule's word if omitted.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        upstream_status: int | None = None,
        retry_after_s: float | None = None,
        retryable: bool | None = None,
    ) -> None:
        self.kind = kind
        self.rule = RULES[kind]
        self.detail = shown(detail)
        self.upstream_status = upstream_status
        self.retry_after_s = retry_after_s
        self.retryable = self.rule.retryable if retryable is None else retryable
        super().__init__(self.message)

    @property
    def code(self) -> str:
        """The code in our answer."""
        return self.rule.code

    @property
    def status(self) -> int:
        """The HTTP status of our answer."""
        return self.rule.error.status

    @property
    def fallback(self) -> Fallback:
        """Which fallbacks may answer instead."""
        return self.rule.fallback

    @property
    def trips(self) -> bool:
        """Whether it counts against the breaker."""
        return self.rule.trips

    @property
    def message(self) -> str:
        """What the caller reads; `detail` is only in it where it cannot be about our key."""
        if self.detail and self.rule.quotes:
            return f"{self.rule.sentence}: {self.detail}"
        return f"{self.rule.sentence}."

    def to_api_error(self) -> ApiError:
        """Give the error that the caller gets when nothing else answers."""
        return self.rule.error(self.message, code=self.code, retry_after_s=self.retry_after_s)


class MalformedUpstream(UpstreamError):
    """The upstream said something that is not in its protocol."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(Kind.MALFORMED, detail)


def transport_error(code: str, message: str = "") -> UpstreamError:
    """Classify a call that the transport could not complete.

    Args:
        code: Of the transport's error; an unknown one counts as a broken connection.
        message: Of the transport's error; for the log, the caller does not read it.
    """
    return UpstreamError(TRANSPORT_KINDS.get(code, Kind.RESET), message)
