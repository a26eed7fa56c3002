import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "itbench_site.settings")

application = get_wsgi_application()

# Imported here: Django has to be set up first.
from leaderboard import warming  # noqa: E402

warming.start()
