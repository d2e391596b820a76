#!/usr/bin/env python
"""Run intmod's commands; `manage.py help` lists them."""

import os
import sys

from django.core.management import execute_from_command_line

from intmod_site.management.commands.serve import Command as Serve

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intmod_site.settings")
    if sys.argv[1:2] == ["serve"]:
        # The server's processes load the apps; loading them here too would double the start.
        Serve().run_from_argv(sys.argv)
    else:
        execute_from_command_line(sys.argv)
