from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """Addresses of static files without the hashes that only collectstatic gives."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def staff_client(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("operator", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def visitor_client(db) -> Client:
    """Signed in, and no staff."""
    client = Client()
    client.force_login(User.objects.create_user("visitor"))
    return client
