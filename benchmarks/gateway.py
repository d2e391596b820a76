"""How fast the gateway is, how much it can do at once, and how large it is.

    python -m benchmarks.gateway speed                              # ours alone
    python -m benchmarks.gateway speed --litellm ~/venvs/litellm    # beside LiteLLM's proxy
    python -m benchmarks.gateway busy
    python -m benchmarks.gateway size

The server under test has one core; callers, a fake provider and the database share the other.
README.md says what is measured and what came out.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks import busy, machine, size, speed
from benchmarks.servers import SURFACES


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("speed", help="calls per second, latency, processor time")
    command.set_defaults(run=speed.run)
    command.add_argument("--litellm", type=Path, help="virtual environment with litellm[proxy]")
    command.add_argument("--rounds", type=int, default=3)
    command.add_argument("--seconds", type=float, default=4, help="of each measurement")
    command.add_argument("--callers", type=int, nargs="+", default=(1, 16, 64))
    command.add_argument("--kinds", nargs="+", choices=SURFACES, default=list(SURFACES))
    command = commands.add_parser("busy", help="256 calls in flight, and another route meanwhile")
    command.set_defaults(run=busy.run)
    command.add_argument("--rounds", type=int, default=3)
    command.add_argument("--seconds", type=float, default=5, help="of each measurement")
    command = commands.add_parser("size", help="memory and time to start")
    command.set_defaults(run=size.run)
    command.add_argument("--calls", type=int, default=100_000)
    arguments = parser.parse_args()
    print(machine.describe())
    with tempfile.TemporaryDirectory(prefix="intmod-benchmark-") as name:
        print(f"\n{arguments.run(arguments, Path(name))}")


if __name__ == "__main__":
    main()
