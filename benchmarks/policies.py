"""Decisions per second and core by a policy of ten rules.

python -m benchmarks.policies
"""

import statistics
import time
from datetime import UTC, datetime

from authz.policies.engine import PolicyRequest, decide
from authz.policies.rules import check_rules, policy_of
from benchmarks.machine import describe

ROUNDS, DECISIONS = 7, 5000
RULES = {
    "required_fields": ["email", "/customer/id"],
    "validation_rules": {
        "email": {"type": "string", "format": "email", "max_length": 200},
        "count": {"type": "integer", "min": 1, "max": 100},
        "currency": {"one_of": ["EUR", "USD", "GBP"]},
        "/customer/name": {"type": "string", "pattern": r"^\p{L}[\p{L} .'-]*$"},
    },
    "methods": ["POST", "PUT"],
    "paths": ["/v1/orders", "/v1/orders/*", "/v2/**"],
    "hours": {"timezone": "Europe/Berlin", "windows": [{"from": "00:00", "to": "24:00"}]},
    "source_cidrs": ["10.0.0.0/8", "192.168.0.0/16"],
}
"""Two required fields, four rules of fields, methods, paths, hours, sources."""
BODY = {
    "email": "ada@example.com",
    "count": 3,
    "currency": "EUR",
    "customer": {"id": 7, "name": "Ada Lovelace"},
    "lines": [{"sku": f"sku-{number}", "price": "9.90"} for number in range(10)],
}
WRONG = BODY | {"email": "ada", "count": 0, "customer": {}}
BACKTRACKING = "^(a+)+$"


def main() -> None:
    check_rules(RULES)
    policy = policy_of("benchmark:1", RULES)
    print(describe())
    for name, body in (("allowed", BODY), ("refused", WRONG)):
        request = PolicyRequest(
            data=body, method="POST", path="/v1/orders/7", source="10.1.2.3", at=datetime.now(UTC)
        )
        assert decide((policy,), request).allowed is (name == "allowed")
        rates = [_rate(policy, request) for _ in range(ROUNDS)]
        print(
            f"{name}: {statistics.median(rates):,.0f} decisions per core-second "
            f"(median of {ROUNDS} rounds; {min(rates):,.0f} to {max(rates):,.0f})"
        )
    _slow_text()


def _rate(policy: object, request: PolicyRequest) -> float:
    began = time.thread_time()
    for _ in range(DECISIONS):
        decide((policy,), request)  # type: ignore[arg-type]
    return DECISIONS / (time.thread_time() - began)


def _slow_text() -> None:
    policy = policy_of("slow:1", {"validation_rules": {"text": {"pattern": BACKTRACKING}}})
    request = PolicyRequest(data={"text": "a" * 50 + "!"}, at=datetime.now(UTC))
    times_ms = []
    for _ in range(100):
        began = time.perf_counter()
        decide((policy,), request)
        times_ms.append((time.perf_counter() - began) * 1000)
    print(f"{BACKTRACKING} against 50 characters: {max(times_ms):.3f} ms at most, of 100")


if __name__ == "__main__":
    main()
