#!/usr/bin/env python
"""Django's command line; ``manage.py serve`` runs the whole site."""

import os
import sys

from transcribe_site import dotenv

if __name__ == "__main__":
    dotenv.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transcribe_site.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
