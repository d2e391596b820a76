"""The product's settings, with a periodic job that comes often."""

from intmod_site.settings import *  # noqa: F403

PERIODIC_JOBS = {
    **PERIODIC_JOBS,  # type: ignore[has-type]  # noqa: F405
    "sample": {"run": "tests.integrations.engine.sample_jobs.periodic", "every_s": 2},
}
