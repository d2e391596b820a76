"""The WSGI application."""

import gc
import os

import django

YOUNG_OBJECTS = 10_000
"""What may lie about before Python looks for cycles in it; its own 700 come together at once."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intmod_site.settings")

# Hardly anything that is loaded goes away again: looking for it would take a tenth of the start.
gc.disable()

# Before anything else imports what it imports.
from intmod_site.lean_imports import import_lean  # noqa: E402

import_lean()
django.setup(set_prefix=False)

# Once the apps are there.
from intmod_site.wsgi_handler import ShortHandler  # noqa: E402

application = ShortHandler()

# What is loaded now stays: looking through it again and again would stop all threads each time.
gc.collect()
gc.freeze()
gc.enable()
gc.set_threshold(YOUNG_OBJECTS)
