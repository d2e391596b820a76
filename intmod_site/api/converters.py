"""Path converters: what an id in a URL may look like, so that no URL overflows a column."""


class RowIdConverter:
    """The number of a row; at most 18 digits, which fit into 64 bits."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        """Read it."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Write it."""
        return str(value)


class NumberConverter(RowIdConverter):
    """The number of a version; at most 9 digits, which fit into 32 bits."""

    regex = "[0-9]{1,9}"
