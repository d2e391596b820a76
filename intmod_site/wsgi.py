"""The WSGI application."""

import gc
import os

import django

YOUNG_OBJECTS = 10_000
"""What may lie about before Python looks for cycles in it; its own 700 come together at once."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intmod_site.settings")

# Before anything else imports it.
from intmod_site.lean_imports import import_rest_framework  # noqa: E402

import_rest_framework()
django.setup(set_prefix=False)

# Once the apps are there.
from intmod_site.wsgi_handler import ShortHandler  # noqa: E402

application = ShortHandler()

# What is loaded now stays: looking through it again and again would stop all threads each time.
gc.collect()
gc.freeze()
gc.set_threshold(YOUNG_OBJECTS)
