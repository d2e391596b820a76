"""One question for each AI endpoint: what a newcomer sees asked and answered."""

from typing import Any

QUESTIONS: dict[str, dict[str, Any]] = {
    "generate": {
        "prompt": "Write one sentence about the sea.",
        "max_tokens": 40,
    },
    "chat": {
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
        "max_tokens": 40,
    },
    "code": {
        "instruction": "Write a function that returns the sum of a list of numbers.",
        "language": "Python",
        "max_tokens": 80,
    },
    "analyze": {
        "text": (
            "The new release is wonderful: searches that took minutes now take seconds. "
            "Installing it was easy, and the support team answered every question within an hour. "
            "Only the mobile app still crashes sometimes when the network is slow."
        ),
        "analyses": ["language", "sentiment", "keywords", "summary"],
    },
    "embed": {
        "input": [
            "A cat sleeps on the sofa.",
            "A kitten naps on the couch.",
            "Interest rates rose again.",
        ],
    },
    "classify": {
        "text": "My card was charged twice for the same order.",
        "labels": [
            {"name": "billing", "description": "payments, charges, refunds, invoices"},
            {"name": "shipping", "description": "delivery, parcels, tracking"},
            {"name": "account", "description": "login, password, profile"},
        ],
    },
}
