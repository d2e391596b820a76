"""The WSGI application."""

import gc
import os

from django.core.wsgi import get_wsgi_application

YOUNG_OBJECTS = 10_000
"""What may lie about before Python looks for cycles in it; its own 700 come together at once."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intmod_site.settings")
application = get_wsgi_application()

# What is loaded now stays: looking through it again and again would stop all threads each time.
gc.collect()
gc.freeze()
gc.set_threshold(YOUNG_OBJECTS)
