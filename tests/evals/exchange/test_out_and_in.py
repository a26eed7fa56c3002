"""A run that goes out as ATIF and is imported again is the same run, field by field."""

import pytest

pytestmark = pytest.mark.django_db
